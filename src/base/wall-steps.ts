import { type Clock, processNow } from "./clock.ts";

/** A smaller difference is drift, or the time between two readings, in milliseconds. */
const STEP_MS_MIN = 1_000;
/**
 * A wall clock that was set is trusted after it stayed so for this long, in milliseconds: a mistake of an hour must not
 * delete what is kept for days.
 */
const BELIEVED_AFTER_MS = 24 * 60 * 60 * 1_000;

/**
 * The wall clock may be set while the process runs. A mark records what it showed at a moment. With it a time from that
 * moment is shown again by the present clock, so that "since" and "until" stay right.
 */
export class WallSteps {
  readonly #clock: Pick<Clock, "now" | "wallNow">;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clock = clock;
  }

  mark(): number {
    return this.#clock.wallNow() - this.#clock.now();
  }

  /** By how much the wall clock was set since, in whole milliseconds; 0 where it was not. */
  since(mark: number): number {
    const stepMs = this.mark() - mark;
    return Math.abs(stepMs) < STEP_MS_MIN ? 0 : Math.round(stepMs);
  }
}

/** Tells of each step of the wall clock once: for times that are kept, and have to follow the present clock. */
export class NewWallSteps {
  readonly #steps: WallSteps;
  #mark: number;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#steps = new WallSteps(clock);
    this.#mark = this.#steps.mark();
  }

  /** By how much the wall clock was set since a step was last told, in whole milliseconds; 0 where it was not. */
  take(): number {
    const stepMs = this.#steps.since(this.#mark);
    if (stepMs !== 0) this.#mark = this.#steps.mark();
    return stepMs;
  }
}

/** Marks by a monotonic clock that all threads and processes of this machine share: what one makes, another reads. */
export class SharedWallSteps extends WallSteps {
  constructor(clock: Pick<Clock, "wallNow">) {
    super({ now: processNow, wallNow: () => clock.wallNow() });
  }
}

/**
 * Notices that this thread stood still: it was busy or its process was stopped, so that the monotonic clock went on without it; or
 * the whole machine was suspended, as a laptop or a virtual machine, and its monotonic clock with it. Then only the wall clock
 * shows the pause, once it is right again. One that a person sets forward looks the same.
 */
export class Standstill {
  readonly #clock: Pick<Clock, "now" | "wallNow">;
  readonly #limitMs: number;
  #nowMs: number;
  #wallMs: number;

  /** `limitMs`: a shorter pause is none. */
  constructor(clock: Pick<Clock, "now" | "wallNow">, limitMs: number) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#nowMs = clock.now();
    this.#wallMs = clock.wallNow();
  }

  /** Whether it stood still for longer since the last call. Call it often. */
  look(): boolean {
    const [nowMs, wallMs] = [this.#clock.now(), this.#clock.wallNow()];
    const pauseMs = Math.max(nowMs - this.#nowMs, wallMs - this.#wallMs);
    this.#nowMs = nowMs;
    this.#wallMs = wallMs;
    return pauseMs > this.#limitMs;
  }
}

/** The wall clock for deletions by age: a clock that was set forward counts only after a day. */
export class CautiousTime {
  readonly #clock: Pick<Clock, "now" | "wallNow">;
  readonly #steps: WallSteps;
  /** The trusted mark. */
  #mark: number;
  /** A different mark, and since when the clock shows it. */
  #shown: { readonly mark: number; readonly sinceMs: number } | undefined;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clock = clock;
    this.#steps = new WallSteps(clock);
    this.#mark = this.#steps.mark();
  }

  /** Milliseconds since the Unix epoch. Call it at least once an hour. */
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
