import { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { FrameReader, frameOf, LinkError } from "../../src/node-link/frames.ts";
import { LinkConnection } from "../../src/node-link/link-connection.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

/** The network's end of a link: what was written to it, and what the test lets arrive. */
class FakeSocket extends Duplex {
  readonly written: string[] = [];
  readonly #reader = new FrameReader();
  /** A peer that does not read takes nothing. */
  isStuck = false;

  constructor() {
    super({ allowHalfOpen: false });
  }

  setNoDelay(): this {
    return this;
  }

  override _read(): void {
    // Bytes come by `push`.
  }

  override _write(bytes: Buffer, _encoding: string, done: () => void): void {
    if (this.isStuck) return;
    this.#reader.read(bytes, ({ kind }) => {
      this.written.push(kind);
      return true;
    });
    done();
  }

  arrive(...parts: readonly Uint8Array[]): Promise<void> {
    for (const part of parts) this.push(part);
    return new Promise(setImmediate);
  }
}

function open() {
  const clock = new VirtualClock();
  const socket = new FakeSocket();
  const faults: unknown[] = [];
  const heard: string[] = [];
  const link = new LinkConnection(socket, clock, (error) => faults.push(error));
  const listen = () => link.listen({ onFrame: ({ kind }) => heard.push(kind), onClosed: () => heard.push("closed") });
  return { clock, socket, faults, heard, link, listen };
}

test("a silent peer is asked after two seconds, and cut after ten", async () => {
  const { clock, socket, faults, heard, listen } = open();
  listen();
  clock.advance(9_000);
  await new Promise(setImmediate);
  expect([socket.written, heard]).toEqual([["ping"], []]);
  clock.advance(1_000);
  expect(heard).toEqual(["closed"]);
  expect(faults.map(String)).toEqual(["LinkError: the peer is silent"]);
});

test("a peer that replies to pings stays, and its own pings are answered", async () => {
  const { clock, socket, heard, listen } = open();
  listen();
  for (let second = 0; second < 30; second += 1) {
    clock.advance(1_000);
    await socket.arrive(...frameOf("pong"), ...frameOf("ping"));
  }
  expect(heard).toEqual([]);
  expect(socket.written.filter((kind) => kind === "pong")).toHaveLength(30);
});

test("a peer that does not read is cut before 32 MiB wait for it", () => {
  const { socket, faults, heard, link, listen } = open();
  listen();
  socket.isStuck = true;
  let sent = 0;
  while (!link.isOver && sent < 100) {
    link.send("media", new Uint8Array(1024 * 1024));
    sent += 1;
  }
  expect(sent).toBe(32);
  expect(faults).toEqual([new LinkError("the peer does not read")]);
  expect(heard).toEqual(["closed"]);
});

test("garbage ends the link, and what follows it is not read", async () => {
  const { socket, faults, heard, listen } = open();
  listen();
  await socket.arrive(...frameOf("read"), Buffer.from("GET / HTTP/1.1\r\n\r\n"), ...frameOf("read"));
  expect(heard).toEqual(["read", "closed"]);
  expect(faults).toHaveLength(1);
});

test("frames wait for a listener, and a link that ended meanwhile says so to the next one", async () => {
  const { socket, heard, link, listen } = open();
  await socket.arrive(...frameOf("read"));
  expect(heard).toEqual([]);
  listen();
  await new Promise(setImmediate);
  expect(heard).toEqual(["read"]);
  link.pause();
  socket.destroy();
  await new Promise(setImmediate);
  expect(heard).toEqual(["read"]);
  listen();
  expect(heard).toEqual(["read", "closed"]);
});
