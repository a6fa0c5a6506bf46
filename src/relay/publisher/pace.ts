/** So many gaps are remembered: a loss on the way is forgotten within a third of a second of a usual stream. */
const REMEMBERED = 8;
/** A gap beyond this is no pace but a pause, in milliseconds. */
const GAP_MS_MAX = 60_000;
/** What is assumed of pictures that come alone while fewer gaps are known: the first of a slide show may be all there is for long. */
const UNKNOWN_MS = 20_000;
/** Frames are missed after so many times the longest of the last gaps. */
const PATIENCE = 2;

/** How often frames of an encoder come, learned from the last of them: one picture in half a minute can be all that is to come. */
export class Pace {
  readonly #gapsMs = new Float64Array(REMEMBERED);
  #count = 0;
  #lastMs: number | undefined;

  /** A frame came. */
  took(nowMs: number): void {
    if (this.#lastMs !== undefined) {
      this.#gapsMs[this.#count % REMEMBERED] = Math.min(GAP_MS_MAX, nowMs - this.#lastMs);
      this.#count += 1;
    }
    this.#lastMs = nowMs;
  }

  /** Since the last frame; undefined before the first. */
  silentMs(nowMs: number): number | undefined {
    return this.#lastMs === undefined ? undefined : nowMs - this.#lastMs;
  }

  /** After so long without a frame one is missed. `isPatient`: what is not known yet may be slow. */
  missedAfterMs(isPatient: boolean): number {
    const isUnknown = this.#count < REMEMBERED;
    return PATIENCE * Math.max(isUnknown && isPatient ? UNKNOWN_MS : 0, ...this.#gapsMs);
  }
}
