/** All retries of one media thread together, in a second. First dials are free. */
export const RETRIES_PER_SECOND = 20;

/** Spaces retries out, so that an uplink that comes back is not met by every link at once. */
export class RetryPace {
  readonly #intervalMs: number;
  #nextMs = Number.NEGATIVE_INFINITY;

  /** `perSecond`: 1 or more. */
  constructor(perSecond: number) {
    this.#intervalMs = 1_000 / perSecond;
  }

  /** Takes the next turn there is; answers how many milliseconds from now it is. */
  reserve(nowMs: number): number {
    const turnMs = Math.max(this.#nextMs, nowMs);
    this.#nextMs = turnMs + this.#intervalMs;
    return turnMs - nowMs;
  }
}
