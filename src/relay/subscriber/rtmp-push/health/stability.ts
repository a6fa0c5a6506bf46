/** A target that fell so often … */
const FALLS = 3;
/** … in this time is unstable. */
const WITHIN_MS = 10 * 60_000;

/** How often a target fell from PUBLISHING lately: told also while it is green. */
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
