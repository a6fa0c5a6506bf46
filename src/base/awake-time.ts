/** How often a thread notes that it runs, in milliseconds. */
export const AWAKE_BEAT_MS = 250;
/**
 * Between two notes at most this much counts, in milliseconds: for a process that stood still, or one turn that took
 * long, no more. It is far below every time after which a peer counts as silent, and above the usual lateness on a
 * loaded machine.
 */
const AWAKE_STEP_MS_MAX = 500;

/**
 * Time in which a thread could have heard its peers. While a process is stopped, its machine stands still or its event
 * loop is busy, what peers send waits in the sockets: none of that time counts against them. `note` is called after the
 * reads of a turn of the loop, so whatever arrived during a pause is read before the time after it counts.
 */
export class AwakeTime {
  readonly #readNow: () => number;
  readonly #onPause: (pauseMs: number) => void;
  #countedMs = 0;
  #notedMs: number;

  /** `onPause`: called with the time that did not count, as far as is known at the end of the turn. */
  constructor(readNow: () => number, onPause: (pauseMs: number) => void = () => undefined) {
    this.#readNow = readNow;
    this.#onPause = onPause;
    this.#notedMs = readNow();
  }

  now(): number {
    return this.#countedMs + Math.min(AWAKE_STEP_MS_MAX, this.#readNow() - this.#notedMs);
  }

  /** The thread runs, and has read what arrived. */
  note(): void {
    const nowMs = this.#readNow();
    const passedMs = nowMs - this.#notedMs;
    this.#countedMs += Math.min(AWAKE_STEP_MS_MAX, passedMs);
    this.#notedMs = nowMs;
    if (passedMs > AWAKE_STEP_MS_MAX) this.#onPause(passedMs);
  }
}
