import { CONTROL_TYPES, HEADER_BYTES, isControl, sequenceOf } from "../../../src/protocol/srt/wire/packet.ts";
import { Mutator } from "../../support/encoders/fuzz-mutator.ts";
import { numbered, SrtPair } from "../../support/stages/srt-pair.ts";
import { Costs, damaged, KeptPackets, type SrtFuzzCosts, STEP_MS, withSeed } from "./srt-fuzz-parts.ts";

const HANDSHAKE = 0x80000000;
const WRITES_PER_STEP = 5;
const PAYLOAD_BYTES = 1_316;
/** A call lasts so many steps at most: then another one begins with its handshake. */
const CALL_STEPS_MAX = 300;
const LOOK_EVERY_CALLS = 200;
/** One connection: a window of 8,192 packets as sender, and one as receiver. */
const MEMORY_BYTES_MAX = 48 * 1_024 * 1_024;
/** Repetitions may need as many bytes as the stream, at least so many a second, and what was saved in two seconds. */
const RESENT_BYTES_PER_SECOND_MIN = 250_000;

export type SrtCallerFuzzResult = SrtFuzzCosts & {
  /** Calls whose handshake came through in spite of it all. */
  readonly connected: number;
  /** How calls ended: by the handshake's failure, or by the connection's end. */
  readonly ends: Readonly<Record<string, number>>;
};

/**
 * Damaged and made-up datagrams for a caller, from its own listener's address: a hostile platform. On virtual time. Throws
 * with the seed and the packet's number where something is not as promised.
 */
export async function runSrtCallerFuzz(packets: number, seed: number): Promise<SrtCallerFuzzResult> {
  return await withSeed(seed, new SrtCallerFuzzRun(packets, seed));
}

class SrtCallerFuzzRun {
  readonly #mutator: Mutator;
  readonly #kept = new KeptPackets<Buffer>();
  readonly #costs = new Costs(MEMORY_BYTES_MAX);
  readonly #packetsMax: number;
  readonly #ends: Record<string, number> = {};
  packets = 0;
  #connected = 0;
  /** The caller's socket ID, and the last packet that it sent. */
  #localId = 0;
  #lastSequence = 0;

  constructor(packetsMax: number, seed: number) {
    this.#packetsMax = packetsMax;
    this.#mutator = new Mutator(seed);
  }

  go(): SrtCallerFuzzResult {
    for (let call = 1; this.packets < this.#packetsMax; call += 1) {
      const pair = this.#call();
      if (call % LOOK_EVERY_CALLS === 0) this.#costs.look();
      // Used until here, so that its memory counts.
      pair.run(0);
    }
    return { ...this.#costs.result(this.packets), connected: this.#connected, ends: this.#ends };
  }

  /** One call: damaged packets come from its handshake to its end. */
  #call(): SrtPair {
    const mutator = this.#mutator;
    const passphrase = mutator.below(2) === 0 ? { passphrase: "correct horse battery" } : {};
    const pair = new SrtPair({ seed: mutator.below(2 ** 31), faults: { delayUs: 30_000 }, ...passphrase });
    const send = pair.toCaller.send.bind(pair.toCaller);
    pair.toCaller.send = (packet, nowUs) => {
      this.#kept.keep(Buffer.from(packet));
      send(packet, nowUs);
    };
    const sendOn = pair.toListener.send.bind(pair.toListener);
    pair.toListener.send = (packet, nowUs) => {
      if (!isControl(packet)) this.#lastSequence = sequenceOf(packet);
      else if (packet.readUInt32BE(0) === HANDSHAKE) this.#localId = packet.readUInt32BE(40);
      sendOn(packet, nowUs);
    };
    let step = 0;
    for (; step < CALL_STEPS_MAX && pair.callerEnd === undefined && pair.failure === undefined; step += 1) {
      pair.run(STEP_MS);
      for (let left = WRITES_PER_STEP; left > 0; left -= 1) pair.write(numbered(step, PAYLOAD_BYTES));
      // The handshake comes through at times.
      if (pair.caller === undefined && mutator.below(6) > 0) continue;
      this.#costs.step(() => this.#attack(pair));
    }
    if (pair.caller !== undefined) this.#connected += 1;
    this.#checkResent(pair, (step * STEP_MS) / 1_000);
    const end = pair.failure?.kind ?? pair.callerEnd?.kind ?? "none";
    this.#ends[end] = (this.#ends[end] ?? 0) + 1;
    return pair;
  }

  #attack(pair: SrtPair): void {
    const original = this.#kept.pick(this.#mutator);
    if (original === undefined) return;
    this.packets += 1;
    const packet = this.#mutator.below(2) === 0 ? this.#control() : damaged(this.#mutator, original);
    // Packets of earlier calls would be for nobody.
    if (packet.length >= HEADER_BYTES && this.#mutator.below(8) > 0) packet.writeUInt32BE(this.#localId, 12);
    pair.forge(packet);
  }

  /** A report of absurd size about packets that were sent, an acknowledgement, or, now and then, any type and any content. */
  #control(): Buffer {
    const mutator = this.#mutator;
    const packet = Buffer.alloc(HEADER_BYTES + 4 * (1 + mutator.below(360)));
    const isWild = mutator.below(200) === 0;
    const type = isWild
      ? mutator.below(10)
      : [CONTROL_TYPES.nak, CONTROL_TYPES.ack, CONTROL_TYPES.ackAck][mutator.below(3)];
    for (let at = HEADER_BYTES; at < packet.length; at += 4) {
      const sequence = (this.#lastSequence - mutator.below(3_000)) & 0x7fffffff;
      packet.writeUInt32BE(isWild ? mutator.below(2 ** 32) : sequence, at);
    }
    if (type === CONTROL_TYPES.nak && !isWild) this.#writeRanges(packet);
    packet.writeUInt16BE(0x8000 | (type ?? 0), 0);
    packet.writeUInt32BE(mutator.below(2 ** 32), 8);
    packet.writeUInt32BE(this.#localId, 12);
    return packet;
  }

  /** Ranges of packets that were sent, and that overlap. */
  #writeRanges(packet: Buffer): void {
    for (let at = HEADER_BYTES; at + 8 <= packet.length; at += 8) {
      const from = (this.#lastSequence - this.#mutator.below(3_000)) & 0x7fffffff;
      packet.writeUInt32BE((from | 0x80000000) >>> 0, at);
      packet.writeUInt32BE(this.#lastSequence, at + 4);
    }
  }

  #checkResent(pair: SrtPair, seconds: number): void {
    const { sentBytes = 0, sentRetransmittedBytes = 0 } = pair.caller?.stats ?? {};
    const most = 2 * sentBytes + RESENT_BYTES_PER_SECOND_MIN * (seconds + 3);
    if (sentRetransmittedBytes > most)
      throw new Error(`${sentRetransmittedBytes} bytes were sent again, of ${sentBytes}`);
  }
}
