/** A target that failed this often … */
const FALLS = 3;
/** … within this time is unstable. In milliseconds. */
const WITHIN_MS = 10 * 60_000;

/** Counts how often a target failed while PUBLISHING lately; shown also while it is PUBLISHING again. */
export class Stability {
  #fallsMs: number[] = [];

  fell(nowMs: number): void {
    this.#fallsMs = [...this.#fallsMs.slice(1 - FALLS), nowMs];
  }

  isUnstable(nowMs: number): boolean {
    const [oldest = Number.NEGATIVE_INFINITY] = this.#fallsMs;
    return this.#fallsMs.length === FALLS && nowMs - oldest < WITHIN_MS;
  }
}
