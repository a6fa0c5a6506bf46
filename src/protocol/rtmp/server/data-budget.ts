const SECOND_MS = 1_000;
/**
 * A message counts as one, and as one more for each 4 KiB. An encoder sends a caption and a time code for each frame at
 * most, and OBS sends its second audio track as 47 messages of data a second.
 */
const UNITS_PER_SECOND = 256;
const UNIT_BYTES_BITS = 12;

/**
 * Bounds the work that an encoder's data can cause. What exceeds it is lost, and nothing else is: commands are counted
 * apart, so that an encoder with much data can still say that it stops.
 */
export class DataBudget {
  #second = Number.NEGATIVE_INFINITY;
  #units = 0;

  /** Counts a message of this length; returns whether it is read. One is, however long it is. */
  takes(bytes: number, nowMs: number): boolean {
    const second = Math.floor(nowMs / SECOND_MS);
    if (second !== this.#second) {
      this.#second = second;
      this.#units = 0;
    }
    if (this.#units >= UNITS_PER_SECOND) return false;
    this.#units += 1 + (bytes >>> UNIT_BYTES_BITS);
    return true;
  }
}
