/** How fast the time of a frame follows its arrival: frames come in bursts, and are to lie evenly. */
const FOLLOWS = 0.1;
const LEARNS = 1 / 32;
/** A frame so far from where it was expected comes behind a gap, in milliseconds. */
const GAP_MS = 500;

type Track = { atMs: number; targetMs: number; intervalMs: number | undefined };

/** Times frames by when they come, for encoders whose own time cannot be gone by: evenly, as their pace is learned. */
export class ArrivalClock {
  readonly #offsetMs: number;
  readonly #tracks: Partial<Record<"audio" | "video", Track>> = {};

  /** `startMs`: channel time at this moment. */
  constructor(startMs: number, nowMs: number) {
    this.#offsetMs = startMs - nowMs;
  }

  map(kind: "audio" | "video", nowMs: number): number {
    const targetMs = nowMs + this.#offsetMs;
    const track = this.#tracks[kind];
    if (track === undefined) {
      this.#tracks[kind] = { atMs: targetMs, targetMs, intervalMs: undefined };
      return Math.round(targetMs);
    }
    const gapMs = targetMs - track.targetMs;
    track.targetMs = targetMs;
    track.intervalMs =
      track.intervalMs === undefined ? Math.min(gapMs, GAP_MS) : track.intervalMs + (gapMs - track.intervalMs) * LEARNS;
    const expectedMs = track.atMs + track.intervalMs;
    const offMs = targetMs - expectedMs;
    track.atMs =
      Math.abs(offMs) > GAP_MS ? Math.max(track.atMs, targetMs) : Math.max(track.atMs, expectedMs + offMs * FOLLOWS);
    return Math.round(track.atMs);
  }
}
