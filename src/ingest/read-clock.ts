import type { Clock, Timer } from "../base/clock.ts";

/** How often encoders that are on air are read: the same step as the relay's flush, which follows in the same turn. */
export const READ_INTERVAL_MS = 50;

/** A connection that is read when the clock says so, and not whenever something comes. */
export interface TimedReader {
  /** What has come may be read from now on. */
  resume(): void;
  /** What has come was read: no more until the next time. */
  pause(): void;
}

export type ReadClockDeps = {
  readonly clock: Clock;
  /** Runs once everything that has come was read; the loop's check phase, behind the one in which sockets are read. */
  readonly afterReads: (run: () => void) => void;
  /** All readers were read: what is to go out may go out in the same turn. */
  readonly onRead: () => void;
};

/**
 * Reads all encoders together, every 50 ms. Reading each segment as it comes costs twice as much: the kernel gathers what
 * arrives meanwhile, and one pass reads, cuts and sends it all. Runs only while there is somebody to read.
 */
export class ReadClock {
  readonly #deps: ReadClockDeps;
  readonly #readers = new Set<TimedReader>();
  #afterNext: (() => void)[] = [];
  #timer: Timer | undefined;

  constructor(deps: ReadClockDeps) {
    this.#deps = deps;
  }

  /** Takes a reader in; it is paused at once and read from the next step on. */
  add(reader: TimedReader): void {
    this.#readers.add(reader);
    reader.pause();
    this.#timer ??= this.#deps.clock.startTimer(READ_INTERVAL_MS, () => this.#step());
  }

  /** Lets a reader go, resumed: it is read as things come, and notices its end. Idempotent. */
  delete(reader: TimedReader): void {
    if (this.#readers.delete(reader)) reader.resume();
  }

  /** Runs behind the next step: what readers' peers have said up to now was read then. At once where there is nobody to read. */
  afterNext(run: () => void): void {
    if (this.#readers.size === 0) run();
    else this.#afterNext.push(run);
  }

  #step(): void {
    this.#timer = undefined;
    if (this.#readers.size === 0) return this.#runAfter();
    // First, so that the steps lie in a row however long a read takes.
    this.#timer = this.#deps.clock.startTimer(READ_INTERVAL_MS, () => this.#step());
    for (const reader of this.#readers) reader.resume();
    this.#deps.afterReads(() => {
      for (const reader of this.#readers) reader.pause();
      this.#runAfter();
      this.#deps.onRead();
    });
  }

  #runAfter(): void {
    const due = this.#afterNext;
    this.#afterNext = [];
    for (const run of due) run();
  }
}
