/** Retries a second, for all targets of one media thread. First attempts do not count. */
export const RETRIES_PER_SECOND = 20;

/** Spaces retries out, so that not every link starts at once when an uplink comes back. */
export class RetryPace {
  readonly #intervalMs: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `perSecond`: 1 or more. */
  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  /** Takes the next free turn; returns how many milliseconds from now it is. */
  reserve(nowMs: number): number {
    const turnMs = Math.max(this.#nextMs, nowMs);
    this.#nextMs = turnMs + this.#intervalMs;
    return turnMs - nowMs;
  }
}
