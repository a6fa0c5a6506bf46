import { once } from "node:events";
import { writeSync } from "node:fs";
import { connect, createServer, type Socket } from "node:net";
import { expect, onTestFinished, test, vi } from "vitest";
import { DirectSocket } from "../../src/net/kernel/direct-socket.ts";
import { DirectSockets } from "../../src/net/kernel/direct-sockets.ts";
import { SystemCalls } from "../../src/net/kernel/system-calls.ts";
import { waitFor } from "../support/processes/waiting.ts";

const DEADLINE_MS = 10_000;
const MIB = 1024 * 1024;
const READS_MAX = 2;
/** No kernel holds more for one connection. */
const EVERYTHING_READ_MAX = 64;

/** Both ends of a connection; the first reads nothing before it is asked to. */
async function connected(): Promise<{ near: Socket; far: Socket }> {
  const server = createServer({ pauseOnConnect: true, highWaterMark: 1 });
  await once(server.listen(0, "127.0.0.1"), "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not a TCP address");
  const far = connect(address.port, "127.0.0.1");
  const accepted: Promise<Socket[]> = once(server, "connection");
  await once(far, "connect");
  const [near] = await accepted;
  if (near === undefined) throw new Error("no connection");
  onTestFinished(() => {
    near.destroy();
    far.destroy();
    server.close();
  });
  return { near, far };
}

/** By system calls of libc where they are there, and by those of `node:fs`. */
const WAYS = [["libc", await SystemCalls.load()] as const, ["node:fs", undefined] as const];

function direct(socket: Socket, calls: SystemCalls | undefined): DirectSocket {
  const found = DirectSocket.of(socket, () => calls);
  if (found === undefined) throw new Error("no direct way");
  return found;
}

test.each(WAYS)(
  "bytes that Node read before reads were held reach the socket's listeners once, before all others (%s)",
  async (_way, calls) => {
    const { near, far } = await connected();
    const heard: string[] = [];
    near.on("data", (bytes) => heard.push(String(bytes)));
    far.write("early ");
    near.pause();
    near.read(0);
    await waitFor("Node's read", DEADLINE_MS, () => near.readableLength > 0 || undefined);
    const reads = direct(near, calls);
    reads.holdReads();
    far.write("late");
    await waitFor("all", DEADLINE_MS, () => {
      reads.read((bytes) => heard.push(String(bytes)));
      return heard.join("").endsWith("late") || undefined;
    });
    expect(heard.join("")).toBe("early late");
  },
);

test.each(WAYS)(
  "a peer that is faster than this server is read up to a bound, and then others are read (%s)",
  async (_way, calls) => {
    const { near, far } = await connected();
    const reads = direct(near, calls);
    reads.holdReads();
    const descriptor: unknown = Reflect.get(Reflect.get(far, "_handle"), "fd");
    const bytes = Buffer.alloc(MIB);
    const fill = () => {
      try {
        while (typeof descriptor === "number") writeSync(descriptor, bytes);
      } catch {
        // No room: it is full.
      }
    };
    // The kernel's window grows with each read: soon each read takes the maximum.
    const readsInOneTurn = () => {
      let count = 0;
      fill();
      reads.read(() => {
        count += 1;
        if (count > EVERYTHING_READ_MAX) throw new Error("the peer keeps us reading for ever");
        fill();
      });
      return count;
    };
    const most = await waitFor("several reads in a turn", DEADLINE_MS, () => {
      const count = readsInOneTurn();
      return count < READS_MAX ? undefined : count;
    });
    expect(most).toBe(READS_MAX);
  },
);

test.each(WAYS)(
  "arrivals come in order into one buffer, pause and hold like any reads, and the end comes after them (%s)",
  async (_way, calls) => {
    const { near, far } = await connected();
    const heard: string[] = [];
    const memory = new Set<ArrayBufferLike>();
    const events: string[] = [];
    near
      .on("data", (bytes) => events.push(`data ${String(bytes)}`))
      .on("end", () => events.push(`end after ${heard.join("")}`));
    const hears = (text: string) =>
      waitFor(
        text,
        DEADLINE_MS,
        () => heard.join("").endsWith(text) || undefined,
        () => `${heard.join("")} ${events.join()}`,
      );
    const reads = direct(near, calls);
    const takes = reads.takeArrivals((bytes) => {
      memory.add(bytes.buffer);
      heard.push(String(bytes));
      if (heard.join("").endsWith("b")) near.pause();
    });
    expect(takes).toBe(true);
    near.resume();
    far.write("a");
    await hears("a");
    far.write("b");
    await hears("b");
    far.write("c");
    await new Promise((resolve) => far.write("d", resolve));
    expect(heard.join("")).toBe("ab");
    near.resume();
    await hears("d");
    reads.holdReads();
    far.write("e");
    await waitFor("a read of our own", DEADLINE_MS, () => {
      reads.read((bytes) => heard.push(String(bytes)));
      return heard.join("").endsWith("e") || undefined;
    });
    reads.releaseReads();
    far.end("f");
    await waitFor("the end", DEADLINE_MS, () => events.length > 0 || undefined);
    expect(heard.join("")).toBe("abcdef");
    expect(events).toEqual(["end after abcdef"]);
    expect(memory.size).toBe(1);
  },
);

test.each(WAYS)(
  "bytes that Node has read and not delivered stay with it, and arrivals are not taken then (%s)",
  async (_way, calls) => {
    const { near, far } = await connected();
    far.write("early");
    near.pause();
    near.read(0);
    await waitFor("Node's read", DEADLINE_MS, () => near.readableLength > 0 || undefined);
    expect(direct(near, calls).takeArrivals(() => undefined)).toBe(false);
    expect(String(await once(near.resume(), "data"))).toBe("early");
  },
);

test("the calls of libc are taken once they are loaded, and node:fs until then", async () => {
  const { near, far } = await connected();
  const heard: string[] = [];
  far.on("data", (bytes) => heard.push(String(bytes)));
  const calls = await SystemCalls.load();
  const send = calls === undefined ? undefined : vi.spyOn(calls, "send");
  const loaded = Promise.withResolvers<SystemCalls | undefined>();
  const sockets = new DirectSockets(true, () => loaded.promise);
  const socket = sockets.of(near);
  expect(socket?.write(Buffer.from("before "))).toBe(7);
  expect(send?.mock.calls.length ?? 0).toBe(0);
  loaded.resolve(calls);
  await sockets.calls();
  expect(socket?.write(Buffer.from("after"))).toBe(5);
  expect(send?.mock.calls.length).toBe(calls === undefined ? undefined : 1);
  await expect.poll(() => heard.join("")).toBe("before after");
});
