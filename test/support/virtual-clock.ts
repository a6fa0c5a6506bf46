import type { Clock, Timer } from "../../src/base/clock.ts";

type Due = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Time that passes only when a test says so; timers run in the order they are due. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #timers = new Set<Due>();
  readonly #epochMs: number;

  constructor(epochMs = 1_800_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#nowMs;
  }

  wallNow(): number {
    return this.#epochMs + this.#nowMs;
  }

  startTimer(delayMs: number, run: () => void): Timer {
    this.#order += 1;
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#timers.add(due);
    return { cancel: () => this.#timers.delete(due) };
  }

  /** Lets time pass, timer by timer. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.#timers]
        .filter((due) => due.atMs <= untilMs)
        .sort((left, right) => left.atMs - right.atMs || left.order - right.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.run();
    }
    this.#nowMs = untilMs;
  }
}
