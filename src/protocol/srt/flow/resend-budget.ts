/** Repeated packets may need as many bytes as the stream itself, and at least so many a second. */
const BYTES_PER_SECOND_MIN = 250_000;
/** Saved up: what two seconds of the stream have, so that a burst of losses is repeated at once. */
const SAVED_SECONDS = 2;
/** Numbers in the peer's loss reports that are looked at in a second. */
const NUMBERS_PER_SECOND = 65_536;

/** Bounds what a peer makes us send again, and what its reports cost. */
export class ResendBudget {
  #bytes = BYTES_PER_SECOND_MIN * SAVED_SECONDS;
  #numbers = NUMBERS_PER_SECOND;
  #bytesPerSecond = BYTES_PER_SECOND_MIN;
  #sentBytes = 0;
  #lastUs: number | undefined;
  #rateSinceUs = 0;

  /** New data was sent. */
  sent(bytes: number): void {
    this.#sentBytes += bytes;
  }

  /** Takes the bytes of one repeated packet. Returns false where they are not there yet. */
  takeBytes(bytes: number): boolean {
    if (this.#bytes < bytes) return false;
    this.#bytes -= bytes;
    return true;
  }

  /** Takes the numbers of one report. Returns false where the peer reports too many. */
  takeNumbers(count: number): boolean {
    if (this.#numbers < count) return false;
    this.#numbers -= count;
    return true;
  }

  /** Call every few milliseconds. */
  tick(nowUs: number): void {
    const lastUs = this.#lastUs ?? nowUs;
    this.#lastUs = nowUs;
    const seconds = (nowUs - lastUs) / 1_000_000;
    this.#bytes = Math.min(this.#bytes + seconds * this.#bytesPerSecond, this.#bytesPerSecond * SAVED_SECONDS);
    this.#numbers = Math.min(this.#numbers + seconds * NUMBERS_PER_SECOND, NUMBERS_PER_SECOND);
    if (nowUs - this.#rateSinceUs < 1_000_000) return;
    const lasted = Math.max(1, (nowUs - this.#rateSinceUs) / 1_000_000);
    this.#bytesPerSecond = Math.max(BYTES_PER_SECOND_MIN, this.#sentBytes / Math.min(lasted, 2));
    this.#sentBytes = 0;
    this.#rateSinceUs = nowUs;
  }
}
