/** How often a thread notes that it runs, in milliseconds. */
export const AWAKE_BEAT_MS = 250;
/**
 * Between two notes at most so much counts, in milliseconds: of a process that stood still, or of one turn that took long, that much and no
 * more. Far below every time after which a peer is called silent, and above what a loaded machine is late by.
 */
const AWAKE_STEP_MS_MAX = 500;

/**
 * Time in which a thread could have heard its peers. While a process is stopped, its machine stands still or its event loop is busy, what
 * peers say lies in the sockets: none of that time speaks against them. `note` is called behind the reads of a turn of
 * the loop, so whatever came during a pause was read before the time behind it counts.
 */
export class AwakeTime {
  readonly #readNow: () => number;
  readonly #onPause: (pauseMs: number) => void;
  #countedMs = 0;
  #notedMs: number;

  /** `onPause`: so much time did not count, as far as is known at the end of the turn. */
  constructor(readNow: () => number, onPause: (pauseMs: number) => void = () => undefined) {
    this.#readNow = readNow;
    this.#onPause = onPause;
    this.#notedMs = readNow();
  }

  now(): number {
    return this.#countedMs + Math.min(AWAKE_STEP_MS_MAX, this.#readNow() - this.#notedMs);
  }

  /** The thread runs, and has read what came. */
  note(): void {
    const nowMs = this.#readNow();
    const passedMs = nowMs - this.#notedMs;
    this.#countedMs += Math.min(AWAKE_STEP_MS_MAX, passedMs);
    this.#notedMs = nowMs;
    if (passedMs > AWAKE_STEP_MS_MAX) this.#onPause(passedMs);
  }
}
