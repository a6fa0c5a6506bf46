import type { Clock, Timer } from "../base/clock.ts";

/** libuv reads at most so many datagrams of a socket before it turns to other things. */
const READS_PER_ROUND = 32;
/** A timer this late, or a round this long, means that the thread stood still, in milliseconds. */
const LATE_MS = 50;
/** A run waits at most so long for datagrams, also where they never end. Of each round at most `LATE_MS` count. */
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
    /** How much longer it may wait, once a pause was noticed. */
    let leftMs: number | undefined;
    const runAfterReads = (): void => {
      const readsBefore = this.#reads;
      const fromMs = clock.now();
      afterReads(() => {
        if (isCancelled) return;
        const tookMs = clock.now() - fromMs;
        // Not only before its timer: it may as well have stood still in this round, behind the reads of this port.
        const stoodStill = tookMs > LATE_MS;
        if (leftMs !== undefined) leftMs -= Math.min(tookMs, LATE_MS);
        else if (stoodStill) leftMs = DRAIN_MS_MAX;
        const mayBeMore = stoodStill || this.#reads - readsBefore >= READS_PER_ROUND;
        if (mayBeMore && leftMs !== undefined && leftMs > 0) runAfterReads();
        else run();
      });
    };
    const timer = clock.startTimer(delayMs, () => {
      if (clock.now() - dueMs > LATE_MS) leftMs = DRAIN_MS_MAX;
      runAfterReads();
    });
    return {
      cancel: () => {
        isCancelled = true;
        timer.cancel();
      },
    };
  }
}
