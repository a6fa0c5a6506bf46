import { AWAKE_BEAT_MS, AwakeTime } from "../../../src/base/awake-time.ts";
import type { Clock, Timer } from "../../../src/base/clock.ts";

type Due = { readonly atMs: number; readonly order: number; readonly run: () => void };

/** Time that passes only when a test says so; timers run in the order they are due. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  readonly #timers = new Set<Due>();
  #epochMs: number;
  readonly #awake = new AwakeTime(() => this.#nowMs);

  constructor(epochMs = 1_800_000_000_000) {
    this.#epochMs = epochMs;
  }

  now(): number {
    return this.#nowMs;
  }

  awakeNow(): number {
    return this.#awake.now();
  }

  wallNow(): number {
    return this.#epochMs + this.#nowMs;
  }

  /** Sets the wall clock, as a person would. */
  setWall(byMs: number): void {
    this.#epochMs += byMs;
  }

  /** How many timers wait. */
  get pending(): number {
    return this.#timers.size;
  }

  startTimer(delayMs: number, run: () => void): Timer {
    this.#order += 1;
    const due: Due = { atMs: this.#nowMs + Math.max(0, delayMs), order: this.#order, run };
    this.#timers.add(due);
    return { cancel: () => this.#timers.delete(due) };
  }

  /** Advances time, timer by timer. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      const next = [...this.#timers]
        .filter((due) => due.atMs <= untilMs)
        .sort((left, right) => left.atMs - right.atMs || left.order - right.order)[0];
      if (next === undefined) break;
      this.#timers.delete(next);
      this.#pass(next.atMs);
      next.run();
    }
    this.#pass(untilMs);
  }

  /**
   * The process stands still for so long: nothing runs. Timers that were due meanwhile run late, at the next `advance`,
   * before anything is read.
   */
  pause(forMs: number): void {
    this.#nowMs += forMs;
  }

  /** Time of a thread that is awake all the time. */
  #pass(untilMs: number): void {
    while (this.#nowMs < untilMs) {
      this.#nowMs = Math.min(untilMs, this.#nowMs + AWAKE_BEAT_MS);
      this.#awake.note();
    }
  }
}
