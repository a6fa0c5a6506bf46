import type { Clock, Timer } from "../base/clock.ts";

/** How often encoders on air are read, in milliseconds. The relay's flush has the same step and follows in the same turn. */
export const READ_INTERVAL_MS = 50;

/**
 * This many connections are read before their bytes are sent. Reading and writing in turn for each would fill the
 * processor's caches with the other's data; reading all of hundreds first would make the first wait for the last.
 */
const READ_TOGETHER = 16;

/** A connection that brought many bytes is read again after this long, in milliseconds. */
const FOLLOW_UP_MS = 5;

/** A connection that is read by the clock, not whenever bytes arrive. */
export interface TimedReader {
  /** From here on the connection reads only at `read`. */
  hold(): void;
  /**
   * Takes the bytes that have arrived, now or by `settle`. Returns true where they are so many that the peer may be
   * waiting for room to send more. `isStep`: false for a second read between two steps.
   */
  read(isStep: boolean): boolean;
  /** All reads of this turn of the event loop are done. */
  settle(): void;
  /** From here on the connection reads as bytes arrive. */
  release(): void;
}

export type BatchedReaderDeps = {
  readonly clock: Clock;
  /** Calls `run` after all socket reads of this turn: in the event loop's check phase. */
  readonly afterReads: (run: () => void) => void;
  /** Some or all readers were read: their bytes may be sent in the same turn. */
  readonly onRead: () => void;
};

/**
 * Reads all encoders together, every 50 ms. Reading each segment as it arrives costs twice as much: the kernel gathers
 * what arrives meanwhile, and one pass reads, cuts and sends it all. A connection's first receive window is small and
 * must not hold up a big keyframe or a fast stream, so a connection that brought many bytes is read again soon. No
 * timer runs without readers.
 */
export class BatchedReader {
  readonly #deps: BatchedReaderDeps;
  readonly #readers = new Set<TimedReader>();
  /** Those that brought many bytes since the last step. */
  readonly #busy = new Set<TimedReader>();
  #afterNext: (() => void)[] = [];
  #timer: Timer | undefined;
  #followUpTimer: Timer | undefined;

  constructor(deps: BatchedReaderDeps) {
    this.#deps = deps;
  }

  /** Adds a reader. It is held at once and read from the next step on. */
  add(reader: TimedReader): void {
    this.#readers.add(reader);
    reader.hold();
    this.#timer ??= this.#deps.clock.startTimer(READ_INTERVAL_MS, () => this.#step());
  }

  /** Removes a reader: it reads as bytes arrive, and sees its end. Idempotent. */
  delete(reader: TimedReader): void {
    this.#busy.delete(reader);
    if (this.#readers.delete(reader)) reader.release();
  }

  /**
   * Calls `run` after the next step, when everything that peers have sent up to now was read; at once where there are
   * no readers. A peer with more than one turn's bytes was not read to the end: waiting for it would hold up the
   * others, and a flood could delay the call for ever. The rest is bounded: it is in the receive window, or is the rest
   * of one turn.
   */
  afterNext(run: () => void): void {
    if (this.#readers.size === 0) run();
    else this.#afterNext.push(run);
  }

  #step(): void {
    this.#timer = undefined;
    this.#followUpTimer?.cancel();
    this.#busy.clear();
    if (this.#readers.size === 0) return this.#runAfter();
    // Started before the reads, so that a long read does not delay the next step.
    this.#timer = this.#deps.clock.startTimer(READ_INTERVAL_MS, () => this.#step());
    let readCount = 0;
    for (const reader of this.#readers) {
      if (reader.read(true)) this.#busy.add(reader);
      readCount += 1;
      if (readCount % READ_TOGETHER === 0) this.#deps.onRead();
    }
    this.#startFollowUp();
    this.#deps.afterReads(() => {
      for (const reader of this.#readers) reader.settle();
      this.#runAfter();
      this.#deps.onRead();
    });
  }

  #startFollowUp(): void {
    if (this.#busy.size === 0) return;
    this.#followUpTimer = this.#deps.clock.startTimer(FOLLOW_UP_MS, () => {
      for (const reader of this.#busy) if (!reader.read(false)) this.#busy.delete(reader);
      this.#startFollowUp();
    });
  }

  #runAfter(): void {
    const due = this.#afterNext;
    this.#afterNext = [];
    for (const run of due) run();
  }
}
