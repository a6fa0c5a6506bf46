import { createSocket } from "node:dgram";
import { setTimeout as pass } from "node:timers/promises";

const PAYLOAD_BYTES = 1_316;
const TS_PACKET_BYTES = 188;
const NUMBER_AT = 8;
const TIME_AT = 12;
const STEP_MS = 5;

/** What a receiver got of the numbered payloads. */
export class Arrivals {
  readonly #numbers = new Set<number>();
  readonly #delaysMs: number[] = [];
  #last = 0;
  /** Payloads that came behind a later one. */
  disordered = 0;
  hasBegun = false;

  take(payload: Buffer): void {
    this.hasBegun = true;
    if (payload.length < PAYLOAD_BYTES) return;
    const number = payload.readUInt32BE(NUMBER_AT);
    if (number === 0) return;
    if (number < this.#last) this.disordered += 1;
    this.#last = number;
    this.#numbers.add(number);
    this.#delaysMs.push(performance.now() - payload.readDoubleBE(TIME_AT));
  }

  get count(): number {
    return this.#numbers.size;
  }

  /** The delay that this share of the payloads did not exceed, in milliseconds. */
  delayMs(share: number): number {
    const sorted = this.#delaysMs.toSorted((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  }
}

/**
 * Sends numbered payloads of seven MPEG-TS packets to UDP ports of this machine, all ports the same. Payloads with the
 * number 0 only keep the stream going. Each holds the time at which it was sent.
 */
export class MarkedInput {
  readonly #ports: readonly number[];
  readonly #perMs: number;
  readonly #socket = createSocket("udp4");
  #sent = 0;

  constructor(ports: readonly number[], kilobits: number) {
    this.#ports = ports;
    this.#perMs = kilobits / (PAYLOAD_BYTES * 8);
  }

  /** Numbered payloads so far. */
  get sent(): number {
    return this.#sent;
  }

  /** Sends at the pace while `isGoing`. */
  async run(isNumbered: boolean, isGoing: (passedMs: number) => boolean): Promise<void> {
    const startMs = performance.now();
    for (let done = 0, passedMs = 0; isGoing(passedMs); passedMs = performance.now() - startMs) {
      for (; done < passedMs * this.#perMs; done += 1) this.#send(isNumbered);
      await pass(STEP_MS);
    }
  }

  close(): void {
    this.#socket.close();
  }

  #send(isNumbered: boolean): void {
    const payload = Buffer.alloc(PAYLOAD_BYTES);
    // Packets without content.
    for (let at = 0; at < PAYLOAD_BYTES; at += TS_PACKET_BYTES) payload.writeUInt32BE(0x471fff10, at);
    if (isNumbered) this.#sent += 1;
    payload.writeUInt32BE(isNumbered ? this.#sent : 0, NUMBER_AT);
    payload.writeDoubleBE(performance.now(), TIME_AT);
    for (const port of this.#ports) this.#socket.send(payload, port, "127.0.0.1");
  }
}
