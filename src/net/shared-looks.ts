import type { Clock, Timer } from "../base/clock.ts";

/** How often each function is called, in milliseconds. */
const LOOK_MS = 250;

/**
 * Calls functions four times a second, all of them together. A timer for each connection would wake its thread hundreds
 * of times a second. No timer runs without functions.
 */
export class SharedLooks {
  readonly #clock: Pick<Clock, "startTimer">;
  readonly #looks = new Set<() => void>();
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "startTimer">) {
    this.#clock = clock;
  }

  /** Calls `look` until the returned function is called. */
  add(look: () => void): () => void {
    this.#looks.add(look);
    this.#plan();
    return () => void this.#looks.delete(look);
  }

  #plan(): void {
    if (this.#looks.size === 0) return;
    this.#timer ??= this.#clock.startTimer(LOOK_MS, () => {
      this.#timer = undefined;
      // Before the calls: one that throws must not end the others for ever.
      this.#plan();
      for (const look of this.#looks) look();
    });
  }
}
