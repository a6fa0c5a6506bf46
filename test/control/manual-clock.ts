import type { Clock, Timer } from "../../src/base/clock.ts";

/** Time that stands still until the test moves it. The wall clock can be moved alone, as an administrator would. */
export class ManualClock implements Clock {
  monotonicMs = 5_000;
  wallMs = 1_700_000_000_000;
  readonly #timers = new Set<{ readonly dueMs: number; readonly run: () => void }>();

  now(): number {
    return this.monotonicMs;
  }

  awakeNow(): number {
    return this.monotonicMs;
  }

  wallNow(): number {
    return this.wallMs;
  }

  startTimer(delayMs: number, run: () => void): Timer {
    const timer = { dueMs: this.monotonicMs + delayMs, run };
    this.#timers.add(timer);
    return { cancel: () => void this.#timers.delete(timer) };
  }

  /** Moves both clocks; timers that are due run at the end. */
  advance(ms: number): void {
    this.monotonicMs += ms;
    this.wallMs += ms;
    for (const timer of [...this.#timers]) {
      if (timer.dueMs > this.monotonicMs || !this.#timers.delete(timer)) continue;
      timer.run();
    }
  }
}
