/** A stream of 32 tracks begins with this many. */
const AT_ONCE_MAX = 64;
/** Encoders change their headers and metadata once in minutes; some send new metadata each second. */
const PER_SECOND = 8;

/**
 * Limits how often a stream may change: every new header, codec or metadata goes to every target and costs as much as
 * some hundred frames. Changes beyond the budget are ignored.
 */
export class NewsBudget {
  #left = AT_ONCE_MAX;
  #sinceMs: number | undefined;

  /** Whether there is room for one more change; takes it. */
  take(nowMs: number): boolean {
    const sinceMs = this.#sinceMs ?? nowMs;
    this.#sinceMs = nowMs;
    this.#left = Math.min(AT_ONCE_MAX, this.#left + ((nowMs - sinceMs) / 1_000) * PER_SECOND);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
