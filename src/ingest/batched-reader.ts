import type { Clock, Timer } from "../base/clock.ts";

/** How often encoders that are on air are read: the same step as the relay's flush, which follows in the same turn. */
export const READ_INTERVAL_MS = 50;

/**
 * So many are read before what they brought goes out: done in turn, reading and writing find the processor's caches full of the other's. Of
 * hundreds the first would wait for the last.
 */
const READ_TOGETHER = 16;

/** Whoever has brought much is read again after this long. */
const FOLLOW_UP_MS = 5;

/** A connection that is read when the clock says so, and not whenever something comes. */
export interface TimedReader {
  /** Nothing is to be read from now on but at `read`. */
  hold(): void;
  /**
   * Takes what has come, now or by `settle`. True where that is so much that its peer may be waiting for room to send more.
   * `isStep`: false where it is read again before its time.
   */
  read(isStep: boolean): boolean;
  /** What was to be read in this turn of the loop was read. */
  settle(): void;
  /** From now on it is read as things come. */
  release(): void;
}

export type BatchedReaderDeps = {
  readonly clock: Clock;
  /** Runs once everything that has come was read; the loop's check phase, behind the one in which sockets are read. */
  readonly afterReads: (run: () => void) => void;
  /** Readers were read, some or all of them: what they brought may go out in the same turn. */
  readonly onRead: () => void;
};

/**
 * Reads all encoders together, every 50 ms. Reading each segment as it comes costs twice as much: the kernel gathers what
 * arrives meanwhile, and one pass reads, cuts and sends it all. A receive window as it is at first must not hold up a big keyframe
 * or a fast stream, so whoever brought much is read again soon. Runs only while there is somebody to read.
 */
export class BatchedReader {
  readonly #deps: BatchedReaderDeps;
  readonly #readers = new Set<TimedReader>();
  /** Those that brought much since the last step. */
  readonly #busy = new Set<TimedReader>();
  #afterNext: (() => void)[] = [];
  #timer: Timer | undefined;
  #followUpTimer: Timer | undefined;

  constructor(deps: BatchedReaderDeps) {
    this.#deps = deps;
  }

  /** Takes a reader in; it is held at once and read from the next step on. */
  add(reader: TimedReader): void {
    this.#readers.add(reader);
    reader.hold();
    this.#timer ??= this.#deps.clock.startTimer(READ_INTERVAL_MS, () => this.#step());
  }

  /** Lets a reader go: it is read as things come, and notices its end. Idempotent. */
  delete(reader: TimedReader): void {
    this.#busy.delete(reader);
    if (this.#readers.delete(reader)) reader.release();
  }

  /**
   * Runs behind the next step: what readers' peers have said up to now was read then. At once where there is nobody to read. Of who is
   * behind by more than is read in a turn not all was: to be heard to the end it would hold up the others, and a flood could put off
   * for good what waits here. What is behind lies in its receive window, or is the rest of one turn, so it is bounded.
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
    // First, so that the steps lie in a row however long a read takes.
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
