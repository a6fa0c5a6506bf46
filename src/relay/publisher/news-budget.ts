/** As many as a stream of 32 tracks begins with. */
const AT_ONCE_MAX = 64;
/** Encoders change their headers and metadata once in minutes; some send other metadata each second. */
const PER_SECOND = 8;

/**
 * How often a stream may become another: each new header, codec or piece of metadata costs as much as some hundred frames, since it is
 * told to every target. What is beyond is passed over.
 */
export class NewsBudget {
  #left = AT_ONCE_MAX;
  #sinceMs: number | undefined;

  /** Whether there is room for one more. */
  take(nowMs: number): boolean {
    const sinceMs = this.#sinceMs ?? nowMs;
    this.#sinceMs = nowMs;
    this.#left = Math.min(AT_ONCE_MAX, this.#left + ((nowMs - sinceMs) / 1_000) * PER_SECOND);
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
