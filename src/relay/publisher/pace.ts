/** How many gaps are remembered. A single loss is forgotten within a third of a second of a usual stream. */
const REMEMBERED = 8;
/** A gap beyond this is a pause, not a pace, in milliseconds. */
const GAP_MS_MAX = 60_000;
/**
 * The gap assumed for video without audio while fewer gaps are known, in milliseconds: the first frame of a slide show
 * may be the only one for a while.
 */
const UNKNOWN_MS = 20_000;
/** A frame is missed after this many times the longest of the last gaps. */
const PATIENCE = 2;

/** How often an encoder's frames come, learned from the last ones. One frame in half a minute can be a whole stream. */
export class Pace {
  readonly #gapsMs = new Float64Array(REMEMBERED);
  #count = 0;
  #hasBegun = false;
  #lastMs = 0;

  /** A frame came. */
  took(nowMs: number): void {
    if (this.#hasBegun) {
      this.#gapsMs[this.#count % REMEMBERED] = Math.min(GAP_MS_MAX, nowMs - this.#lastMs);
      this.#count += 1;
    }
    this.#hasBegun = true;
    this.#lastMs = nowMs;
  }

  /** Milliseconds since the last frame; undefined before the first. */
  silentMs(nowMs: number): number | undefined {
    return this.#hasBegun ? nowMs - this.#lastMs : undefined;
  }

  /**
   * Milliseconds without a frame after which one is missed. `isPatient`: assume a slow stream while little is known.
   */
  missedAfterMs(isPatient: boolean): number {
    const isUnknown = this.#count < REMEMBERED;
    return PATIENCE * Math.max(isUnknown && isPatient ? UNKNOWN_MS : 0, ...this.#gapsMs);
  }
}
