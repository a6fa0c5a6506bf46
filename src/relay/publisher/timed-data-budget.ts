/** A message of captions or of a frame's time has some hundred bytes. */
const BYTES_MAX = 64 * 1024;
/** Bytes and messages of one encoder in a second: far more than a caption or a time code for each frame. */
const BYTES_PER_SECOND_MAX = 256 * 1024;
const MESSAGES_PER_SECOND_MAX = 200;
const SECOND_MS = 1_000;

/** Limits what an encoder's timed data costs its targets: each of them gets it beside the media. */
export class TimedDataBudget {
  #sinceMs = Number.NEGATIVE_INFINITY;
  #bytes = 0;
  #messages = 0;
  #droppedTotal = 0;

  /** Messages that were dropped because they were too long, or too many. */
  get droppedTotal(): number {
    return this.#droppedTotal;
  }

  /** Counts a message of this length. Returns whether it is sent on. */
  takes(bytes: number, nowMs: number): boolean {
    if (nowMs - this.#sinceMs >= SECOND_MS) {
      this.#sinceMs = nowMs;
      this.#bytes = 0;
      this.#messages = 0;
    }
    this.#bytes += bytes;
    this.#messages += 1;
    const isWithin =
      bytes <= BYTES_MAX && this.#bytes <= BYTES_PER_SECOND_MAX && this.#messages <= MESSAGES_PER_SECOND_MAX;
    if (!isWithin) this.#droppedTotal += 1;
    return isWithin;
  }
}
