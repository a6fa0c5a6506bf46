/** The meter's scale, in dBFS. */
export const LEVEL_MIN = -60;
export const LEVEL_MAX = 0;

/** How fast a bar falls, in dB a second, and how long a peak stays, in milliseconds. */
const FALL_DB_PER_SECOND = 20;
const PEAK_HOLD_MS = 1_500;

/** The peak of samples between -1 and 1 in dBFS, within the scale. */
export function peakDbfs(samples: Float32Array): number {
  let peak = 0;
  for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
  return Math.min(LEVEL_MAX, Math.max(LEVEL_MIN, 20 * Math.log10(peak)));
}

/** A level that rises at once and falls slowly, and its peak of the last moment. In dBFS; times in milliseconds. */
export class Levels {
  #level = LEVEL_MIN;
  #peak = LEVEL_MIN;
  #peakMs = 0;
  #lastMs: number | undefined;

  get level(): number {
    return this.#level;
  }

  get peak(): number {
    return this.#peak;
  }

  take(dbfs: number, nowMs: number): void {
    const fallen = ((nowMs - (this.#lastMs ?? nowMs)) * FALL_DB_PER_SECOND) / 1_000;
    this.#lastMs = nowMs;
    this.#level = Math.max(dbfs, this.#level - fallen, LEVEL_MIN);
    if (dbfs < this.#peak && nowMs - this.#peakMs < PEAK_HOLD_MS) return;
    this.#peak = this.#level;
    this.#peakMs = nowMs;
  }
}
