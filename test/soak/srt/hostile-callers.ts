import { randomBytes, randomInt } from "node:crypto";
import { createSocket, type Socket } from "node:dgram";
import { once } from "node:events";
import { setTimeout as pass } from "node:timers/promises";
import { SrtCaller } from "../../../src/protocol/srt/caller.ts";
import { CONTROL_TYPES, controlTypeOf, HEADER_BYTES, isControl } from "../../../src/protocol/srt/wire/packet.ts";

// A program for a network namespace: callers that get what the server replies, each from an address of its own.
// arguments: HOST PORT KIND PER_SECOND SECONDS NETWORK KEY… NETWORK: like 198.18.0.0/18, all of it this machine's own.
// KIND half-handshakes: each asks with a key that no channel has, and never says anything again.
// KIND encoders: one publishes with each KEY, and storms its own connection.
// Prints how many datagrams they sent.

const [host = "", portText, kind, perSecondText, secondsText, network = "", ...keys] = process.argv.slice(2);
const [port, perSecond, seconds] = [Number(portText), Number(perSecondText), Number(secondsText)];
const SOURCES = 64;
const STEP_MS = 2;
const CALL_AGAIN_MS = 300;
const REPORT_WORDS = 364;
const [first, second, third] = network.split(".").map(Number);
const nowUs = () => performance.now() * 1_000;
let sent = 0;

class Source {
  readonly #socket: Socket = createSocket("udp4");
  #caller: SrtCaller | undefined;
  #calledMs = 0;
  /** The server's end of the connection, while there is one. */
  #peerId: number | undefined;
  #sequence = 0;

  async open(index: number): Promise<void> {
    this.#socket.on("error", () => undefined);
    this.#socket.bind(0, `${first}.${second}.${(third ?? 0) + (index % 64)}.${1 + randomInt(250)}`);
    await once(this.#socket, "listening");
    this.#socket.on("message", (packet) => this.#receive(packet));
  }

  close(): void {
    this.#socket.close();
  }

  call(streamId: string): void {
    this.#peerId = undefined;
    this.#calledMs = performance.now();
    const options = { address: host, streamId, passphrase: undefined, keyLength: 16, latencyMs: 8_000 } as const;
    this.#caller = new SrtCaller({ ...options, randomBytes }, nowUs());
    this.#step(this.#caller.tick(nowUs()));
  }

  /** One of: a loss report of absurd size, packets with gaps before them, an ACK of nothing, a request to drop all. */
  storm(key: string): void {
    if (this.#peerId === undefined) {
      if (performance.now() - this.#calledMs > CALL_AGAIN_MS) this.call(`publish:${key}`);
      return;
    }
    const turn = randomInt(64);
    // The first two end the connection.
    if (randomInt(2_000) === 0) return this.#control(CONTROL_TYPES.nak, REPORT_WORDS);
    if (randomInt(2_000) === 0) return this.#control(CONTROL_TYPES.ack, 7);
    if (turn === 0) return this.#control(CONTROL_TYPES.dropRequest, 2);
    if (turn < 4) return this.#control(CONTROL_TYPES.nak, 0);
    if (turn < 8) return this.#control(CONTROL_TYPES.keepalive, 1);
    const packet = Buffer.alloc(HEADER_BYTES + 1_316, 0x47);
    this.#sequence = (this.#sequence + 1 + randomInt(3)) & 0x7fffffff;
    packet.writeUInt32BE(this.#sequence, 0);
    packet.writeUInt32BE(0xc0000001, 4);
    packet.writeUInt32BE(nowUs() >>> 0, 8);
    packet.writeUInt32BE(this.#peerId, 12);
    this.#send(packet);
  }

  #receive(packet: Buffer): void {
    if (this.#peerId !== undefined) {
      if (isControl(packet) && controlTypeOf(packet) === CONTROL_TYPES.shutdown) this.#peerId = undefined;
    } else if (this.#caller !== undefined) this.#step(this.#caller.receive(packet, nowUs()));
  }

  #step(step: ReturnType<SrtCaller["tick"]>): void {
    if (step.kind === "wait" && step.send !== undefined) this.#send(step.send);
    if (step.kind === "failed") this.#caller = undefined;
    if (step.kind !== "connected") return;
    this.#peerId = step.agreement.peerId;
    this.#sequence = step.agreement.initialSequence;
  }

  #control(type: number, wordCount: number): void {
    const packet = randomBytes(HEADER_BYTES + 4 * wordCount);
    packet.writeUInt16BE(0x8000 | type, 0);
    packet.writeUInt32BE(this.#peerId ?? 1, 12);
    this.#send(packet);
  }

  #send(packet: Buffer): void {
    sent += 1;
    this.#socket.send(packet, port, host);
  }
}

const sources = Array.from({ length: kind === "encoders" ? keys.length : SOURCES }, () => new Source());
for (const [index, source] of sources.entries()) await source.open(index);
const startMs = performance.now();
let done = 0;
for (let passedMs = 0; passedMs < seconds * 1_000; passedMs = performance.now() - startMs) {
  // What a busy machine has left out is not made up for in one go.
  const due = Math.min((passedMs / 1_000) * perSecond, done + perSecond / 20);
  for (; done < due; done += 1) {
    const index = Math.floor(done) % sources.length;
    if (kind === "encoders") sources[index]?.storm(keys[index] ?? "");
    else sources[index]?.call("publish:no-such-key");
  }
  await pass(STEP_MS);
}
for (const source of sources) source.close();
process.stdout.write(`${sent}\n`);
