/** How much a target takes of the stream's rate, in bytes a second. */
export type Slowness = { readonly takesPerSecond: number; readonly ofPerSecond: number };

export type PaceFigures = {
  /** Bytes the peer is known to have got, of this link. */
  readonly reachedBytes: number;
  /** The stream's own rate. */
  readonly streamPerSecond: number;
  /** Media that waits for the target, in our queue and in the kernel's. */
  readonly waitingMs: number;
  /** Frames lost to a full queue, of this link. */
  readonly drops: number;
};

type Mark = PaceFigures & { readonly nowMs: number };

/** Judged over this time, in milliseconds: long enough that keyframes do not matter. */
const SPAN_MS = 10_000;
/** If more than this waits for it, in milliseconds, or frames were lost, it is behind. */
const BEHIND_MS = 2_000;
/** … and below this it no longer is. */
const CAUGHT_UP_MS = 1_000;
/** The warning is renewed only if the rate differs by more than this share. */
const NEWS_SHARE = 0.2;
/** It takes nearly as much as the stream carries: it only was behind. */
const ENOUGH_SHARE = 0.95;

/** Notices a target that takes some of the stream, but less than it carries: no stall, and no reason to leave it. */
export class SlowWatch {
  #marks: Mark[] = [];
  #slowness: Slowness | undefined;
  #reportedAtMs = 0;

  /** Call once a second. Undefined while it keeps up. */
  look(figures: PaceFigures, nowMs: number): Slowness | undefined {
    this.#marks.push({ ...figures, nowMs });
    while ((this.#marks[0]?.nowMs ?? nowMs) < nowMs - SPAN_MS) this.#marks.shift();
    const first = this.#marks[0];
    if (first === undefined || nowMs - first.nowMs < SPAN_MS / 2) return this.#slowness;
    const hasLost = figures.drops > first.drops;
    const now: Slowness = {
      takesPerSecond: Math.round(((figures.reachedBytes - first.reachedBytes) * 1_000) / (nowMs - first.nowMs)),
      ofPerSecond: Math.round(figures.streamPerSecond),
    };
    if (!hasLost && this.#marks.every(({ waitingMs }) => waitingMs < CAUGHT_UP_MS)) this.#slowness = undefined;
    else if (this.#slowness !== undefined) this.#renew(now, nowMs);
    else {
      const isBehind = hasLost || this.#marks.slice(-5).every(({ waitingMs }) => waitingMs > BEHIND_MS);
      if (isBehind && now.takesPerSecond < now.ofPerSecond * ENOUGH_SHARE) this.#report(now, nowMs);
    }
    return this.#slowness;
  }

  #renew(now: Slowness, nowMs: number): void {
    const reported = this.#slowness;
    const keepsUp = now.takesPerSecond >= now.ofPerSecond * ENOUGH_SHARE;
    if (reported === undefined || keepsUp || nowMs - this.#reportedAtMs < SPAN_MS) return;
    if (Math.abs(now.takesPerSecond - reported.takesPerSecond) > reported.takesPerSecond * NEWS_SHARE)
      this.#report(now, nowMs);
  }

  #report(now: Slowness, nowMs: number): void {
    this.#slowness = now;
    this.#reportedAtMs = nowMs;
  }
}
