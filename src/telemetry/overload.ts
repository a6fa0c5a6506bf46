import type { LoopDelay } from "../thread-protocol/loop-delay.ts";

/** An event loop that was this late could not keep up, in seconds: filler would begin, and players would notice. */
const LATE_SECONDS = 2;
/** This many reports in a row must say that a thread is busy: a burst is no overload. */
const BUSY_REPORTS = 2;

/** Whether one thread keeps up, from what its event loop reports every five seconds. */
export class Overload {
  readonly #loadMax: number;
  #busyReports = 0;
  #isLate = false;

  /** `loadMax`: the share of its time that a thread may be busy; 1 or more: no limit. */
  constructor(loadMax: number) {
    this.#loadMax = loadMax;
  }

  take({ load, max }: LoopDelay): void {
    this.#busyReports = this.#loadMax < 1 && load > this.#loadMax ? this.#busyReports + 1 : 0;
    this.#isLate = max >= LATE_SECONDS;
  }

  /** Busy above the limit for ten seconds: no new channel is admitted. */
  get isBusy(): boolean {
    return this.#busyReports >= BUSY_REPORTS;
  }

  /** Busy, or too late in the last five seconds. */
  get isThere(): boolean {
    return this.isBusy || this.#isLate;
  }
}

/** The same for all threads together. */
export class Overloads {
  readonly #loadMax: number;
  readonly #threads = new Map<string, Overload>();

  constructor(loadMax: number) {
    this.#loadMax = loadMax;
  }

  /** Takes the report of one thread. Returns whether any thread cannot keep up. */
  take(thread: string, delay: LoopDelay): boolean {
    const overload = this.#threads.get(thread) ?? new Overload(this.#loadMax);
    this.#threads.set(thread, overload);
    overload.take(delay);
    return [...this.#threads.values()].some(({ isThere }) => isThere);
  }
}
