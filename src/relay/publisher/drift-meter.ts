/**
 * In each window only the frame with the shortest delay counts, which removes the network's delays from the
 * measurement. In milliseconds.
 */
const WINDOW_MS = 30_000;
/** Two minutes between the first and the last window at least, … */
const WINDOWS_MIN = 5;
/** … and ten at most. */
const WINDOWS_MAX = 21;

type Window = { readonly endMs: number; readonly latenessMs: number };

/**
 * Measures how fast an encoder's clock runs compared with ours. A frame may arrive late but never early, so the least
 * late frame of each half minute shows the clock. Any other delay comes and goes, or comes once.
 */
export class DriftMeter {
  #beganMs: number | undefined;
  #mediaMs = 0;
  #leastLateMs = Number.POSITIVE_INFINITY;
  #windowBeganMs = 0;
  /** The first window is left out: encoders begin by sending what they have buffered. */
  #isStarting = true;
  readonly #windows: Window[] = [];

  /** Takes a frame. `stepMs`: the encoder's time since the last one; undefined where its clock began again. */
  take(stepMs: number | undefined, nowMs: number): void {
    if (stepMs === undefined || this.#beganMs === undefined) {
      this.#begin(nowMs);
      return;
    }
    this.#mediaMs += stepMs;
    this.#leastLateMs = Math.min(this.#leastLateMs, nowMs - this.#beganMs - this.#mediaMs);
    if (nowMs - this.#windowBeganMs < WINDOW_MS) return;
    if (!this.#isStarting) this.#windows.push({ endMs: nowMs, latenessMs: this.#leastLateMs });
    if (this.#windows.length > WINDOWS_MAX) this.#windows.shift();
    this.#isStarting = false;
    this.#windowBeganMs = nowMs;
    this.#leastLateMs = Number.POSITIVE_INFINITY;
  }

  /**
   * By how many millionths the encoder's clock is fast; negative where it is slow. Measured over two to ten minutes;
   * undefined before. 0 for a delay that came once, in one half of that time: that is a queue, not drift.
   */
  get ppm(): number | undefined {
    const first = this.#windows[0];
    const middle = this.#windows[this.#windows.length >> 1];
    const last = this.#windows.at(-1);
    if (this.#windows.length < WINDOWS_MIN || !first || !middle || !last) return undefined;
    const [early, late] = [slope(first, middle), slope(middle, last)];
    if (early * late <= 0) return 0;
    const steady = Math.abs(early) < Math.abs(late) ? early : late;
    return Math.round(-steady * 1_000_000);
  }

  #begin(nowMs: number): void {
    this.#beganMs = nowMs;
    this.#mediaMs = 0;
    this.#leastLateMs = 0;
    this.#windowBeganMs = nowMs;
    this.#isStarting = true;
    this.#windows.length = 0;
  }
}

function slope(from: Window, to: Window): number {
  return (to.latenessMs - from.latenessMs) / (to.endMs - from.endMs);
}
