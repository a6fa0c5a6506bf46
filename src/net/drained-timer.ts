import type { Clock, Timer } from "../base/clock.ts";

/** libuv reads at most so many datagrams of a socket before it turns to other things. */
const READS_PER_ROUND = 32;
/** A timer this late means that the thread stood still, in milliseconds. */
const LATE_MS = 50;
/** A run waits at most so long for datagrams, also where they never end. */
const DRAIN_MS_MAX = 500;

type DrainedTimerDeps = {
  readonly clock: Pick<Clock, "now" | "startTimer">;
  /** Calls `run` after the next round of reads. */
  readonly afterReads: (run: () => void) => void;
};

/**
 * Timers of a UDP port that run behind the datagrams which have arrived by then. A thread that stood still for a second has
 * hundreds of datagrams to read: a timer that ran before them would give up what is in them.
 */
export class DrainedTimer {
  readonly #deps: DrainedTimerDeps;
  #reads = 0;

  constructor(deps: DrainedTimerDeps) {
    this.#deps = deps;
  }

  /** Call with each datagram of the port. */
  noteRead(): void {
    this.#reads += 1;
  }

  /** Calls `run` after `delayMs`, once the port is read: behind one round of reads, or behind all after a pause. */
  start(delayMs: number, run: () => void): Timer {
    const { clock, afterReads } = this.#deps;
    const dueMs = clock.now() + delayMs;
    let isCancelled = false;
    const runAfterReads = (untilMs: number): void => {
      const readsBefore = this.#reads;
      afterReads(() => {
        if (isCancelled) return;
        const mayBeMore = this.#reads - readsBefore >= READS_PER_ROUND;
        if (mayBeMore && clock.now() < untilMs) runAfterReads(untilMs);
        else run();
      });
    };
    const timer = clock.startTimer(delayMs, () => {
      const nowMs = clock.now();
      runAfterReads(nowMs - dueMs > LATE_MS ? nowMs + DRAIN_MS_MAX : nowMs);
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}
