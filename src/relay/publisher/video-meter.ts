/**
 * Figures are remembered for one to two of these windows, in milliseconds. Longer than any sensible keyframe interval.
 */
const WINDOW_MS = 15_000;

/** Measures how the frames of one video track follow each other: keyframes, and B-frames. */
export class VideoMeter {
  /** The encoder's time since the last keyframe, in milliseconds; undefined before the first, and after a jump. */
  #sinceKeyframeMs: number | undefined;
  #intervalMs: number | undefined;
  /** By how much the latest presentation time so far is ahead of the decoding time, in milliseconds. */
  #aheadMs = Number.NEGATIVE_INFINITY;
  #run = 0;
  /** When the first frame came, the last, and the last keyframe. */
  #firstAtMs: number | undefined;
  #lastAtMs = 0;
  #keyframeAtMs: number | undefined;
  #windowBeganMs: number | undefined;
  #now = { gapMs: 0, run: 0 };
  #before = { gapMs: 0, run: 0 };

  /** Takes a frame. `stepMs`: the encoder's time since the last one; undefined where its clock began again. */
  take(stepMs: number | undefined, compositionTimeMs: number, isKeyframe: boolean, nowMs: number): void {
    this.#turnWindow(nowMs);
    this.#firstAtMs ??= nowMs;
    this.#lastAtMs = nowMs;
    if (isKeyframe) this.#keyframeAtMs = nowMs;
    if (stepMs === undefined) {
      this.#sinceKeyframeMs = undefined;
      this.#aheadMs = Number.NEGATIVE_INFINITY;
    } else {
      if (this.#sinceKeyframeMs !== undefined) this.#sinceKeyframeMs += stepMs;
      this.#aheadMs -= stepMs;
    }
    if (isKeyframe) {
      this.#now.gapMs = Math.max(this.#now.gapMs, this.#sinceKeyframeMs ?? 0);
      this.#intervalMs = this.#sinceKeyframeMs ?? this.#intervalMs;
      this.#sinceKeyframeMs = 0;
    }
    this.#order(compositionTimeMs);
  }

  /** The distance of the last two keyframes between which the clock did not jump, in milliseconds. */
  get intervalMs(): number | undefined {
    return this.#intervalMs;
  }

  /** For how long video has come without a keyframe, in milliseconds by our clock; undefined before the first frame. */
  get withoutKeyframeMs(): number | undefined {
    const sinceMs = this.#keyframeAtMs ?? this.#firstAtMs;
    return sinceMs === undefined ? undefined : this.#lastAtMs - sinceMs;
  }

  get hasKeyframe(): boolean {
    return this.#keyframeAtMs !== undefined;
  }

  /**
   * The longest recent distance between two keyframes, or since the last one, in milliseconds; undefined before the
   * first two.
   */
  get longestKeyframeGapMs(): number | undefined {
    const gapMs = Math.max(this.#now.gapMs, this.#before.gapMs);
    if (gapMs === 0 && (this.#sinceKeyframeMs ?? 0) < WINDOW_MS) return undefined;
    return Math.max(gapMs, this.#sinceKeyframeMs ?? 0);
  }

  /** The largest recent number of B-frames in a row: frames that are shown before one that was sent before them. */
  get bFrames(): number {
    return Math.max(this.#now.run, this.#before.run);
  }

  #order(compositionTimeMs: number): void {
    if (compositionTimeMs >= this.#aheadMs) {
      this.#aheadMs = compositionTimeMs;
      this.#run = 0;
      return;
    }
    this.#run += 1;
    this.#now.run = Math.max(this.#now.run, this.#run);
  }

  #turnWindow(nowMs: number): void {
    this.#windowBeganMs ??= nowMs;
    if (nowMs - this.#windowBeganMs < WINDOW_MS) return;
    this.#before = this.#now;
    this.#now = { gapMs: 0, run: 0 };
    this.#windowBeganMs = nowMs;
  }
}
