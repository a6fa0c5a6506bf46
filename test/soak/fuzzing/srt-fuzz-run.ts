import type { StreamReader } from "../../../src/ingest/srt/srt-encoder.ts";
import type { Sender } from "../../../src/net/datagram-port.ts";
import { TsDemuxer } from "../../../src/protocol/mpegts/ts-demuxer.ts";
import { HEADER_BYTES } from "../../../src/protocol/srt/wire/packet.ts";
import { Mutator } from "../../support/encoders/fuzz-mutator.ts";
import { SrtIngestStage, type SrtTestCaller } from "../../support/stages/srt-ingest-stage.ts";
import { tsSamples } from "../../support/streams/ts-samples.ts";
import { Costs, damaged, KeptPackets, type SrtFuzzCosts, STEP_MS, withSeed } from "./srt-fuzz-parts.ts";

const HEALTHY_PORT = 40_000;
const HEALTHY_EVERY_STEPS = 4;
const HOSTILE = 4;
/** A hostile caller stays for so many steps on average, and others use its port later. */
const CALL_STEPS = 500;
const PORTS = 64;
const TS_PACKET_BYTES = 188;
const PAYLOAD_BYTES_MAX = 1_316;
const LOOK_EVERY_STEPS = 1_000;
/**
 * Ten connections, those that wait for their end by silence included: each may keep a window of 8,192 packets, and its
 * demuxer some more.
 */
const MEMORY_BYTES_MAX = 128 * 1_024 * 1_024;
const GAP_MAX_MS = 100;

export type SrtFuzzResult = SrtFuzzCosts & {
  /** Hostile connections that were accepted. */
  readonly accepted: number;
  /** The longest time between two packets of the healthy encoder, on virtual time. */
  readonly gapMs: number;
};

/** A listener whose hostile callers' packets are kept for the mutator. */
class HostileStage extends SrtIngestStage {
  readonly kept = new KeptPackets<{ readonly packet: Buffer; readonly sender: Sender }>();

  override receive(packet: Buffer, sender: Sender): void {
    if (sender.port !== HEALTHY_PORT) this.kept.keep({ packet, sender });
    this.attack(packet, sender);
  }

  attack(packet: Buffer, sender: Sender): void {
    super.receive(packet, sender);
  }

  forget(): void {
    for (const list of [this.facts, this.asked, this.links, this.readers, this.sent]) list.length = 0;
  }
}

/**
 * Damaged and made-up datagrams for the SRT listener and the demuxers behind it, on virtual time, beside a healthy
 * encoder. Throws with the seed and the packet's number where something is not as promised.
 */
export async function runSrtFuzz(packets: number, seed: number): Promise<SrtFuzzResult> {
  return await withSeed(seed, new SrtFuzzRun(packets, seed));
}

/** Counts what the healthy encoder's packets bring, and when. */
class HealthyReader implements StreamReader {
  readonly progress = "media";
  readonly #now: () => number;
  #lastMs: number | undefined;
  gapMs = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  push(): [] {
    const nowMs = this.#now();
    this.gapMs = Math.max(this.gapMs, nowMs - (this.#lastMs ?? nowMs));
    this.#lastMs = nowMs;
    return [];
  }

  gap(): void {
    throw new Error("the healthy encoder has lost packets");
  }

  end(): [] {
    throw new Error("the healthy encoder was ended");
  }

  /** The longest gap, the one up to now included. */
  get longestGapMs(): number {
    return Math.max(this.gapMs, this.#now() - (this.#lastMs ?? Number.NEGATIVE_INFINITY));
  }
}

class SrtFuzzRun {
  readonly #mutator: Mutator;
  readonly #streams = tsSamples();
  readonly #callers = new Map<number, SrtTestCaller>();
  readonly #healthy = new HealthyReader(() => this.#stage.clock.now());
  // The healthy encoder comes first.
  #readers = 0;
  readonly #stage = new HostileStage({
    newReader: () => (this.#readers++ === 0 ? this.#healthy : new TsDemuxer()),
  });
  readonly #packetsMax: number;
  #callsMade = 0;
  #opened = 0;
  packets = 0;

  constructor(packetsMax: number, seed: number) {
    this.#packetsMax = packetsMax;
    this.#mutator = new Mutator(seed);
  }

  async go(): Promise<SrtFuzzResult> {
    const stage = this.#stage;
    await stage.listen();
    const healthy = stage.caller("KEY", { port: HEALTHY_PORT });
    await stage.run(100);
    healthy.write(0);
    const costs = new Costs(MEMORY_BYTES_MAX);
    for (let step = 1; this.packets < this.#packetsMax; step += 1) {
      this.#feedHostile();
      if (step % HEALTHY_EVERY_STEPS === 0) healthy.write(step);
      costs.step(() => this.#attack());
      await stage.run(STEP_MS);
      this.#check();
      if (step % LOOK_EVERY_STEPS === 0) costs.look();
    }
    return { ...costs.result(this.packets), accepted: this.#opened - 1, gapMs: this.#healthy.longestGapMs };
  }

  /** Keeps hostile connections open, and lets each send a piece of a stream. */
  #feedHostile(): void {
    for (const [port, caller] of this.#callers) {
      const isOver = caller.end !== undefined || caller.failure !== undefined;
      if (!isOver && this.#mutator.below(CALL_STEPS) > 0) continue;
      caller.isGone = true;
      this.#callers.delete(port);
    }
    while (this.#callers.size < HOSTILE) {
      const port = HEALTHY_PORT + 1 + (this.#callsMade % PORTS);
      this.#callsMade += 1;
      this.#callers.set(port, this.#stage.caller("KEY", { port }));
    }
    const nowUs = this.#stage.clock.now() * 1_000;
    for (const caller of this.#callers.values()) caller.connection?.write(this.#payload(), nowUs);
  }

  /** A piece of a transport stream, damaged or not. */
  #payload(): Buffer {
    const mutator = this.#mutator;
    const stream = this.#streams[mutator.below(this.#streams.length)] ?? Buffer.alloc(0);
    const from = mutator.below(Math.ceil(stream.length / TS_PACKET_BYTES)) * TS_PACKET_BYTES;
    const payload = Buffer.from(stream.subarray(from, from + PAYLOAD_BYTES_MAX));
    for (let changes = mutator.below(6); changes > 0; changes -= 1) mutator.change(payload);
    return payload;
  }

  #attack(): void {
    const mutator = this.#mutator;
    const kept = this.#stage.kept.pick(mutator);
    if (kept === undefined) return;
    this.packets += 1;
    const packet = this.#hostile(kept.packet);
    const sentBefore = this.#stage.sent.length;
    this.#stage.attack(packet, mutator.below(20) === 0 ? this.#spoofed(kept.sender) : kept.sender);
    if (packet.length < HEADER_BYTES || packet.readUInt32BE(12) !== 0) return;
    const replied = this.#stage.sent.slice(sentBefore).reduce((sum, { packet: { length } }) => sum + length, 0);
    if (replied > packet.length) throw new Error(`${replied} bytes for ${packet.length}`);
  }

  /** One of: a made-up control packet, the packet with a far sequence number, or damaged. */
  #hostile(original: Buffer): Buffer {
    const mutator = this.#mutator;
    const kind = mutator.below(6);
    if (kind === 0) return this.#control(original.readUInt32BE(12));
    if (kind > 1) return damaged(mutator, original);
    const packet = Buffer.from(original);
    packet.writeUInt32BE((packet.readUInt32BE(0) + mutator.below(20_000) - 10_000) >>> 0, 0);
    return packet;
  }

  /** Any type and any content: lists of losses of absurd size, ACKs of what was never sent, keys. */
  #control(destination: number): Buffer {
    const mutator = this.#mutator;
    const packet = Buffer.alloc(HEADER_BYTES + 4 * mutator.below(360));
    for (let at = 0; at < packet.length; at += 4) packet.writeUInt32BE(mutator.below(2 ** 32), at);
    packet.writeUInt16BE(0x8000 | mutator.below(9), 0);
    packet.writeUInt32BE(destination, 12);
    return packet;
  }

  #spoofed({ port }: Sender): Sender {
    return { address: `198.51.${this.#mutator.below(256)}.${this.#mutator.below(256)}`, port };
  }

  #check(): void {
    const { facts, log } = this.#stage;
    const fault = facts.find(({ kind }) => kind === "internal-fault");
    if (fault !== undefined) throw new Error(JSON.stringify(fault));
    if (this.#healthy.longestGapMs > GAP_MAX_MS) throw new Error(`a gap of ${this.#healthy.longestGapMs} ms`);
    this.#opened += log.filter((line) => line.startsWith("open")).length;
    log.length = 0;
    this.#stage.forget();
  }
}
