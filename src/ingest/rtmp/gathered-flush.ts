import type { Clock, Timer } from "../../base/clock.ts";

/**
 * How long media of a channel with low latency may wait for more of it, in milliseconds. Encoders send audio and video
 * that belong together shortly after one another, and each write costs a target as much as any other.
 */
const GATHER_MS = 3;

/** Receives media, and sends it on when it is told to. */
type Flushed = { flush(): void };

/**
 * Sends on what encoders of channels with low latency brought: shortly after the first of it, for all of them in one
 * turn.
 */
export class GatheredFlush {
  readonly #clock: Pick<Clock, "startTimer">;
  readonly #waiting = new Set<Flushed>();
  #timer: Timer | undefined;

  constructor(clock: Pick<Clock, "startTimer">) {
    this.#clock = clock;
  }

  /** Media came that this is to send on. */
  add(flushed: Flushed): void {
    this.#waiting.add(flushed);
    this.#timer ??= this.#clock.startTimer(GATHER_MS, () => this.#flush());
  }

  #flush(): void {
    this.#timer = undefined;
    for (const flushed of this.#waiting) flushed.flush();
    this.#waiting.clear();
  }
}
