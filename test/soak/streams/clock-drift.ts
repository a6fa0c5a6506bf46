/**
 * A short delay by the machine's other work is no drift: within this time one message comes without delay. In
 * milliseconds.
 */
const WINDOW_MS = 10_000;

/** How far a stream's time moves away from the wall clock's, either way. */
export class ClockDrift {
  #window: { readonly fromMs: number; least: number } | undefined;
  #least = Number.POSITIVE_INFINITY;
  #most = Number.NEGATIVE_INFINITY;

  /** Between the windows that were most apart, in milliseconds; 0 before the second. */
  get maxMs(): number {
    return Math.max(0, this.#most - this.#least);
  }

  /** Takes a message of this time, which came now. */
  add(timestamp: number, nowMs: number): void {
    const delayMs = nowMs - timestamp;
    if (this.#window !== undefined && nowMs - this.#window.fromMs < WINDOW_MS) {
      this.#window.least = Math.min(this.#window.least, delayMs);
      return;
    }
    if (this.#window !== undefined) {
      this.#least = Math.min(this.#least, this.#window.least);
      this.#most = Math.max(this.#most, this.#window.least);
    }
    this.#window = { fromMs: nowMs, least: delayMs };
  }
}
