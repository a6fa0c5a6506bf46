import { CONTROL_TYPES, HEADER_BYTES, isControl, sequenceOf } from "../../../src/protocol/srt/wire/packet.ts";
import { keptBytes } from "../../support/encoders/fuzz-bounds.ts";
import { Mutator } from "../../support/encoders/fuzz-mutator.ts";
import { numbered, SrtPair } from "../../support/stages/srt-pair.ts";

const HANDSHAKE = 0x80000000;
const STEP_MS = 10;
const PACKETS_PER_STEP = 20;
const WRITES_PER_STEP = 5;
const PAYLOAD_BYTES = 1_316;
const KEPT_PACKETS = 64;
/** A call lasts so many steps at most: then another one begins with its handshake. */
const CALL_STEPS_MAX = 300;
const LOOK_EVERY_CALLS = 20;
/** One connection: a window of 8,192 packets as sender, and one as receiver. */
const MEMORY_BYTES_MAX = 48 * 1_024 * 1_024;
/** Repetitions may need as many bytes as the stream, at least so many a second, and what was saved in two seconds. */
const RESENT_BYTES_PER_SECOND_MIN = 250_000;
const STEP_CPU_MS_MAX = 100;

export type SrtCallerFuzzResult = {
  readonly packets: number;
  /** Calls whose handshake came through in spite of it all. */
  readonly connected: number;
  /** How calls ended: by the handshake's failure, or by the connection's end. */
  readonly ends: Readonly<Record<string, number>>;
  /** The most processor time that the packets of one step took. */
  readonly stepCpuMs: number;
  readonly keptBytes: number;
};

/**
 * Damaged and made-up datagrams for a caller, from its own listener's address: a hostile platform. On virtual time. Throws with
 * the seed and the packet's number where something is not as promised.
 */
export function runSrtCallerFuzz(packets: number, seed: number): SrtCallerFuzzResult {
  const run = new SrtCallerFuzzRun(seed);
  try {
    return run.go(packets);
  } catch (error) {
    throw new Error(`seed ${seed}, packet ${run.packets}: ${String(error)}`, { cause: error });
  }
}

class SrtCallerFuzzRun {
  readonly #mutator: Mutator;
  readonly #kept: Buffer[] = [];
  readonly #ends: Record<string, number> = {};
  packets = 0;
  #connected = 0;
  /** The caller's socket ID, and the last packet that it sent. */
  #localId = 0;
  #lastSequence = 0;
  #stepCpuMs = 0;

  constructor(seed: number) {
    this.#mutator = new Mutator(seed);
  }

  go(packets: number): SrtCallerFuzzResult {
    const before = keptBytes();
    let mostBytes = 0;
    for (let call = 1; this.packets < packets; call += 1) {
      const pair = this.#call();
      if (call % LOOK_EVERY_CALLS === 0) mostBytes = Math.max(mostBytes, keptBytes() - before);
      // Used until here, so that its memory counts.
      pair.run(0);
    }
    if (mostBytes > MEMORY_BYTES_MAX) throw new Error(`${mostBytes} bytes were kept`);
    if (this.#stepCpuMs > STEP_CPU_MS_MAX) throw new Error(`a step took ${this.#stepCpuMs} ms`);
    return {
      packets: this.packets,
      connected: this.#connected,
      ends: this.#ends,
      stepCpuMs: this.#stepCpuMs,
      keptBytes: mostBytes,
    };
  }

  /** One call: damaged packets come from its handshake to its end. */
  #call(): SrtPair {
    const mutator = this.#mutator;
    const passphrase = mutator.below(2) === 0 ? { passphrase: "correct horse battery" } : {};
    const pair = new SrtPair({ seed: mutator.below(2 ** 31), faults: { delayUs: 30_000 }, ...passphrase });
    const send = pair.toCaller.send.bind(pair.toCaller);
    pair.toCaller.send = (packet, nowUs) => {
      this.#keep(packet);
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
      const cpu = process.threadCpuUsage();
      for (let left = PACKETS_PER_STEP; left > 0; left -= 1) this.#attack(pair);
      const { user, system } = process.threadCpuUsage(cpu);
      this.#stepCpuMs = Math.max(this.#stepCpuMs, (user + system) / 1_000);
    }
    if (pair.caller !== undefined) this.#connected += 1;
    this.#checkResent(pair, (step * STEP_MS) / 1_000);
    const end = pair.failure?.kind ?? pair.callerEnd?.kind ?? "none";
    this.#ends[end] = (this.#ends[end] ?? 0) + 1;
    return pair;
  }

  #keep(packet: Buffer): void {
    this.#kept.push(Buffer.from(packet));
    if (this.#kept.length > KEPT_PACKETS) this.#kept.shift();
  }

  #attack(pair: SrtPair): void {
    const original = this.#kept[this.#mutator.below(this.#kept.length)];
    if (original === undefined) return;
    this.packets += 1;
    const packet = this.#damaged(original);
    // Packets of earlier calls would be for nobody.
    if (packet.length >= HEADER_BYTES && this.#mutator.below(8) > 0) packet.writeUInt32BE(this.#localId, 12);
    pair.forge(packet);
  }

  #damaged(original: Buffer): Buffer {
    const mutator = this.#mutator;
    const packet = Buffer.from(original);
    switch (mutator.below(6)) {
      case 0:
        return packet;
      case 1:
        return packet.subarray(0, mutator.below(packet.length + 1));
      case 2:
      case 3:
      case 4:
        return this.#control();
      default:
        for (let changes = 1 + mutator.below(4); changes > 0; changes -= 1) mutator.change(packet);
        return packet;
    }
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
