/** A connection is called at least every 10 ms: a longer time between two calls is a pause, in microseconds. */
const PAUSE_MIN_US = 50_000;
/** So many are remembered: a thread that is always late gives up in the end nevertheless. */
const PAUSES_MAX = 8;

/**
 * When this process stood still: it neither read what had come nor asked for what had not. That time counts against no
 * packet and no peer.
 */
export class Pauses {
  readonly #pauses: { readonly fromUs: number; readonly toUs: number }[] = [];
  #lastUs: number;

  constructor(nowUs: number) {
    this.#lastUs = nowUs;
  }

  /** Call first with everything that the process does for the connection. */
  note(nowUs: number): void {
    if (nowUs - this.#lastUs > PAUSE_MIN_US) {
      this.#pauses.push({ fromUs: this.#lastUs, toUs: nowUs });
      if (this.#pauses.length > PAUSES_MAX) this.#pauses.shift();
    }
    this.#lastUs = nowUs;
  }

  /** How much of the time since then was in the last pauses, in microseconds. */
  since(timeUs: number): number {
    let sumUs = 0;
    for (const { fromUs, toUs } of this.#pauses) sumUs += Math.max(0, toUs - Math.max(fromUs, timeUs));
    return sumUs;
  }
}
