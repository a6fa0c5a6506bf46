import type { Clock, Timer } from "../../base/clock.ts";

/**
 * The time for what is to begin and end at one moment for all servers that share a database: their wall clocks may differ, and
 * may be set, so that of the database counts. Until it is known, and for a server that has its database alone, this is the
 * machine's own.
 */
export class SharedClock implements Clock {
  readonly #clock: Clock;
  /** The database's wall clock at the monotonic clock's 0; undefined: not known. */
  #zeroMs: number | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * The database's clock is so far ahead of this machine's now, in milliseconds; below 0: behind. An answer that took `tookMs`
   * says it to half of that: what is known counts where the answer allows it, since servers whose time moves to and fro at the
   * end of a window would turn a target on again.
   */
  measured(aheadMs: number, tookMs: number): void {
    const ownMs = this.#clock.wallNow() - this.#clock.now();
    const knownMs = this.#zeroMs ?? ownMs;
    this.#zeroMs = Math.abs(ownMs + aheadMs - knownMs) > tookMs / 2 ? ownMs + aheadMs : knownMs;
  }

  now(): number {
    return this.#clock.now();
  }

  awakeNow(): number {
    return this.#clock.awakeNow();
  }

  wallNow(): number {
    return this.#zeroMs === undefined ? this.#clock.wallNow() : Math.round(this.#zeroMs + this.#clock.now());
  }

  startTimer(delayMs: number, run: () => void): Timer {
    return this.#clock.startTimer(delayMs, run);
  }
}

/**
 * The clock for what is removed by its age: the earlier of the two wall clocks. Of several servers on one database one may be
 * wrong by days, and must not remove what the others keep; nor must all of them where the database's is.
 */
export function agingClock(own: Pick<Clock, "now" | "wallNow">, shared: Pick<Clock, "wallNow">) {
  return { now: () => own.now(), wallNow: () => Math.min(own.wallNow(), shared.wallNow()) };
}
