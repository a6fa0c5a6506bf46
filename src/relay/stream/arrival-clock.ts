/**
 * How fast the time of a frame follows its arrival, as a share of the difference: frames come in bursts and must be
 * spaced evenly.
 */
const FOLLOWS = 0.1;
/** How fast the interval follows the measured one, as a share of the difference. */
const LEARNS = 1 / 32;
/** A frame this far from its expected time comes after a gap, in milliseconds. */
const GAP_MS = 500;

type Track = { atMs: number; targetMs: number; intervalMs: number | undefined };

/** Times frames by their arrival, for encoders whose own clock is wrong: evenly, at the pace that it learns. */
export class ArrivalClock {
  readonly #offsetMs: number;
  readonly #tracks: Partial<Record<"audio" | "video", Track>> = {};

  /** `startMs`: channel time at `nowMs`, both in milliseconds. */
  constructor(startMs: number, nowMs: number) {
    this.#offsetMs = startMs - nowMs;
  }

  /** Returns the channel time of a frame that arrived now, in milliseconds. */
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
