/** What was taken between so many readings says how fast the target is. */
const READINGS = 3;
const OLD_MS = 8_000;
/** After it was the one that is waited for it may be so again: so long it is not given more than it takes. */
const LIMITED_MS = 10_000;
/** It may be faster by now. */
const ROOM = 1.25;
/** A stream that became thin, filler while its encoder is away, may be as it was from one moment to the next: it is forgotten so slowly. */
const KEPT_PER_SECOND = 0.99;

/** How fast a link gets rid of what it is given, where it is slower than the stream. */
export class DrainRate {
  readonly #marks: { readonly atMs: number; readonly reachedBytes: number }[] = [];
  #limitedAtMs: number | undefined;
  #peakPerSecond = 0;

  /** Call once a second. `isSpent`: nothing more may be given to the kernel. */
  note(reachedBytes: number, isSpent: boolean, nowMs: number): void {
    // From reading to reading: on a machine with many connections one comes each 2 s, and seconds would count it once too seldom.
    if (this.#marks.at(-1)?.reachedBytes !== reachedBytes) this.#marks.push({ atMs: nowMs, reachedBytes });
    const isOld = nowMs - (this.#marks[0]?.atMs ?? nowMs) > OLD_MS;
    if (this.#marks.length > READINGS + 1 || (isOld && this.#marks.length > 2)) this.#marks.shift();
    if (isSpent) this.#limitedAtMs = nowMs;
  }

  /** Bytes a second that the kernel's share of the stream goes by. Call once a second. */
  pace(streamPerSecond: number, nowMs: number): number {
    this.#peakPerSecond = Math.max(streamPerSecond, this.#peakPerSecond * KEPT_PER_SECOND);
    const [first, last] = [this.#marks[0], this.#marks.at(-1)];
    const isLimited = this.#limitedAtMs !== undefined && nowMs - this.#limitedAtMs < LIMITED_MS;
    if (!isLimited || first === undefined || last === undefined || last.atMs === first.atMs) return this.#peakPerSecond;
    const drained = ((last.reachedBytes - first.reachedBytes) * 1_000) / (last.atMs - first.atMs);
    return Math.min(streamPerSecond, drained * ROOM);
  }
}
