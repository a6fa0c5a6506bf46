/** Shorter pauses, in milliseconds, occur on every network. */
const PAUSE_MS_MIN = 2_000;
/** This many pauses … */
const PAUSES = 2;
/** … in this time are a habit. */
const WITHIN_MS = 60_000;
const KEPT_MAX = 8;
/** A pause may be longer than the longest before it by this factor. */
const ROOM = 1.5;
const PATIENCE_MS_MAX = 12_000;

/**
 * Learns the pauses in which a link makes progress. A target that reads slowly from a large buffer opens its window
 * only once much of that is free: its TCP takes nothing for seconds, then a lot. It is slow, not repeatedly stalled.
 */
export class PauseHabit {
  #pauses: { readonly atMs: number; readonly ms: number }[] = [];

  /** It makes progress again, after this many milliseconds. */
  ended(ms: number, nowMs: number): void {
    if (ms < PAUSE_MS_MIN) return;
    this.#pauses.push({ atMs: nowMs, ms });
    if (this.#pauses.length > KEPT_MAX) this.#pauses.shift();
  }

  /** How long the next pause may be, in milliseconds; 0 if pauses are no habit. */
  patienceMs(nowMs: number): number {
    const recent = this.#recent(nowMs);
    if (recent.length < PAUSES) return 0;
    return Math.min(PATIENCE_MS_MAX, ROOM * Math.max(...recent.map(({ ms }) => ms)));
  }

  /** Whether the link often pauses and goes on by itself. */
  isHabit(nowMs: number): boolean {
    return this.#recent(nowMs).length >= PAUSES;
  }

  #recent(nowMs: number): readonly { readonly atMs: number; readonly ms: number }[] {
    return this.#pauses.filter(({ atMs }) => nowMs - atMs < WITHIN_MS);
  }
}
