import type { ConnectionTally } from "../../ingest/connection-limiter.ts";
import type { UplinkState } from "../../relay/engine.ts";

/** The numbers of one thread, 32 bits each. */
const FIELDS = ["connections", "relayed", "channels", "links", "stalledLinks"] as const;
type Field = (typeof FIELDS)[number];

/** Memory for the numbers of this many threads, all 0. */
export function newSharedCounters(threads: number): SharedArrayBuffer {
  return new SharedArrayBuffer(threads * FIELDS.length * Int32Array.BYTES_PER_ELEMENT);
}

/**
 * Counters that media threads share in memory, for rules of the whole process: how many connections there may be, and
 * whether the uplink stalls. Each thread writes its own counters and reads all.
 */
export class SharedCounters {
  readonly #numbers: Int32Array;
  readonly #index: number;

  /** `index`: which thread this is, from 0. */
  constructor(board: SharedArrayBuffer, index: number) {
    this.#numbers = new Int32Array(board);
    this.#index = index;
  }

  readonly connections: ConnectionTally = {
    onCount: (count) => this.#write("connections", count),
    elsewhere: () => this.#sum("connections") - this.#own("connections"),
  };

  /** How many encoders of this thread publish to other threads or processes. */
  relayed(count: number): void {
    this.#write("relayed", count);
  }

  /** The same for all threads. */
  get allRelayed(): number {
    return this.#sum("relayed");
  }

  shareUplink(own: UplinkState): UplinkState {
    for (const field of ["channels", "links", "stalledLinks"] as const) this.#write(field, own[field]);
    return { channels: this.#sum("channels"), links: this.#sum("links"), stalledLinks: this.#sum("stalledLinks") };
  }

  /** The thread has died: sets its counters to 0. */
  clear(): void {
    for (const field of FIELDS) this.#write(field, 0);
  }

  #at(index: number, field: Field): number {
    return index * FIELDS.length + FIELDS.indexOf(field);
  }

  #write(field: Field, value: number): void {
    Atomics.store(this.#numbers, this.#at(this.#index, field), value);
  }

  #own(field: Field): number {
    return Atomics.load(this.#numbers, this.#at(this.#index, field));
  }

  #sum(field: Field): number {
    let sum = 0;
    for (let at = FIELDS.indexOf(field); at < this.#numbers.length; at += FIELDS.length) {
      sum += Atomics.load(this.#numbers, at);
    }
    return sum;
  }
}
