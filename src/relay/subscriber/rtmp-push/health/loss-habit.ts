/** This many episodes of loss … */
const EPISODES = 2;
/** … in this time, in milliseconds, make a path that loses packets. */
const WITHIN_MS = 60_000;
const KEPT_MAX = 8;

/**
 * Whether the path of a link loses packets: more than once in the last minute the kernel had to send data again, and
 * the link then went on. An outage is one such episode, which does not end by itself.
 */
export class LossHabit {
  #endedAtMs: number[] = [];
  #isResending = false;

  /** Call with each reading of the kernel's queue. */
  note(isResending: boolean, nowMs: number): void {
    if (this.#isResending && !isResending) {
      this.#endedAtMs.push(nowMs);
      if (this.#endedAtMs.length > KEPT_MAX) this.#endedAtMs.shift();
    }
    this.#isResending = isResending;
  }

  isLossy(nowMs: number): boolean {
    return this.#endedAtMs.filter((endedMs) => nowMs - endedMs < WITHIN_MS).length >= EPISODES;
  }
}
