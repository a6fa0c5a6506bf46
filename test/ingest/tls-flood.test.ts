import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { expect, onTestFinished, test } from "vitest";
import { systemClock } from "../../src/base/clock.ts";
import { RtmpListener } from "../../src/ingest/rtmp/rtmp-listener.ts";
import type { Fact } from "../../src/thread-protocol/facts.ts";
import { NO_LOGINS } from "../support/stages/admission.ts";
import { certificate } from "../support/stages/certificates.ts";

const pair = certificate("127.0.0.1");

async function open() {
  const facts: Fact[] = [];
  const listener = new RtmpListener({
    ...{ clock: systemClock, randomBytes, onFact: (fact: Fact) => facts.push(fact), flush: () => undefined },
    ...NO_LOGINS,
    permitPlayer: async () => "refuse",
    admit: async () => "refused",
  });
  const { port } = await listener.listenTls({ host: "127.0.0.1", port: 0 }, pair);
  const socket = connectTls({ port, host: "127.0.0.1", ca: pair.cert });
  socket.on("error", () => undefined);
  socket.resume();
  await once(socket, "secureConnect");
  onTestFinished(() => {
    socket.destroy();
    listener.close();
  });
  return { socket, facts };
}

/** Each byte in a record of its own. */
async function pour(socket: TLSSocket, bytes: Buffer): Promise<void> {
  for (const byte of bytes) {
    if (!socket.writable) return;
    await new Promise<void>((resolve) => socket.write(Buffer.of(byte), () => resolve()));
  }
}

test("an unauthenticated peer whose TLS carries almost no payload is closed, and the reason is reported", async () => {
  const { socket, facts } = await open();
  const closed = new Promise((resolve) => socket.once("close", resolve));
  // A handshake and one long command: no bound on messages is met before.
  const hello = Buffer.concat([Buffer.of(3), Buffer.alloc(2 * 1_536)]);
  const header = Buffer.from("0300000000f0001400000000", "hex");
  const chunks = Array.from({ length: 480 }, () => Buffer.concat([Buffer.alloc(128), Buffer.of(0xc3)]));
  await pour(socket, Buffer.concat([hello, header, ...chunks]));
  await closed;
  expect(facts[0]).toMatchObject({ reason: "protocol-error", detail: "TLS: records without content", count: 1 });
});

test("a handshake in pieces of a few bytes is answered", async () => {
  const { socket, facts } = await open();
  const answered = once(socket, "data");
  const hello = Buffer.concat([Buffer.of(3), Buffer.alloc(1_536)]);
  for (let at = 0; at < hello.length; at += 16) {
    await new Promise<void>((resolve) => socket.write(hello.subarray(at, at + 16), () => resolve()));
  }
  await answered;
  expect(facts).toEqual([]);
});
