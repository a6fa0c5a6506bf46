import type { Clock, Timer } from "../../base/clock.ts";

/**
 * The time for what is to begin and end at one moment for all servers that share a database: their wall clocks may differ, so
 * that of the database counts.
 */
export class SharedClock implements Clock {
  /** How far the database's clock is ahead of this machine's, in milliseconds; below 0: behind. */
  aheadMs = 0;
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  awakeNow(): number {
    return this.#clock.awakeNow();
  }

  wallNow(): number {
    return this.#clock.wallNow() + this.aheadMs;
  }

  startTimer(delayMs: number, run: () => void): Timer {
    return this.#clock.startTimer(delayMs, run);
  }
}
