/** The speed is measured over this many readings. */
const READINGS = 3;
const OLD_MS = 8_000;
/** For this long after it was slower than the stream, a link is not given more than it takes. In milliseconds. */
const LIMITED_MS = 10_000;
/** Factor: it may be faster by now. */
const ROOM = 1.25;
/** How much of the peak rate is kept each second: after filler the stream may return to its full rate at once. */
const KEPT_PER_SECOND = 0.99;

/** Measures how fast a link that is slower than the stream takes what it is given. */
export class DrainRate {
  readonly #marks: { readonly atMs: number; readonly reachedBytes: number }[] = [];
  #limitedAtMs: number | undefined;
  #peakPerSecond = 0;

  /** Call once a second. `reachedBytes`: acknowledged in total. `isSpent`: nothing more may be given to the kernel. */
  note(reachedBytes: number, isSpent: boolean, nowMs: number): void {
    // Counted from reading to reading: with many connections a reading comes only every 2 s.
    if (this.#marks.at(-1)?.reachedBytes !== reachedBytes) this.#marks.push({ atMs: nowMs, reachedBytes });
    const isOld = nowMs - (this.#marks[0]?.atMs ?? nowMs) > OLD_MS;
    if (this.#marks.length > READINGS + 1 || (isOld && this.#marks.length > 2)) this.#marks.shift();
    if (isSpent) this.#limitedAtMs = nowMs;
  }

  /** Returns the bytes a second by which the kernel's share of the stream is bounded. Call once a second. */
  pace(streamPerSecond: number, nowMs: number): number {
    this.#peakPerSecond = Math.max(streamPerSecond, this.#peakPerSecond * KEPT_PER_SECOND);
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    const isLimited = this.#limitedAtMs !== undefined && nowMs - this.#limitedAtMs < LIMITED_MS;
    if (!isLimited || first === undefined || last === undefined || last.atMs === first.atMs) return this.#peakPerSecond;
    const drained = ((last.reachedBytes - first.reachedBytes) * 1_000) / (last.atMs - first.atMs);
    return Math.min(streamPerSecond, drained * ROOM);
  }
}
