import type { Clock } from "./clock.ts";

/** What drift and the time between two readings come to is no step, in milliseconds. */
const STEP_MS_MIN = 1_000;
/** A clock that was set is believed where it stays so long, in milliseconds: an hour's mistake is not to cost what is kept for days. */
const BELIEVED_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * The clock of the day may be set while we run. A mark says what it was worth at a moment; by it a time that was shown then is shown
 * again as the present clock has it, so that "since" and "until" stay right.
 */
export class WallSteps {
  readonly #clock: Pick<Clock, "now" | "wallNow">;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clock = clock;
  }

  mark(): number {
    return this.#clock.wallNow() - this.#clock.now();
  }

  /** By how much the clock was set since, in whole milliseconds; 0 where it was not. */
  since(mark: number): number {
    const stepMs = this.mark() - mark;
    return Math.abs(stepMs) < STEP_MS_MIN ? 0 : Math.round(stepMs);
  }
}

/** The clock of the day for what is deleted by age: one that was set forward counts only once it has stayed so for a day. */
export class CautiousTime {
  readonly #clock: Pick<Clock, "now" | "wallNow">;
  readonly #steps: WallSteps;
  /** What is believed. */
  #mark: number;
  /** Another one, and since when it is shown. */
  #shown: { readonly mark: number; readonly sinceMs: number } | undefined;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clock = clock;
    this.#steps = new WallSteps(clock);
    this.#mark = this.#steps.mark();
  }

  /** Milliseconds since the Unix epoch. Looked at now and then, at least once an hour. */
  now(): number {
    const nowMs = this.#clock.now();
    const mark = this.#steps.mark();
    if (mark <= this.#mark || this.#steps.since(this.#mark) === 0) {
      this.#believe(mark);
    } else {
      if (this.#shown === undefined || this.#steps.since(this.#shown.mark) !== 0)
        this.#shown = { mark, sinceMs: nowMs };
      if (nowMs - this.#shown.sinceMs >= BELIEVED_AFTER_MS) this.#believe(mark);
    }
    return Math.round(this.#mark + nowMs);
  }

  #believe(mark: number): void {
    this.#mark = mark;
    this.#shown = undefined;
  }
}
