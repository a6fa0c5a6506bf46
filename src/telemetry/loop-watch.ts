import { monitorEventLoopDelay, performance } from "node:perf_hooks";
import type { LoopDelay } from "../thread-protocol/loop-delay.ts";

/**
 * How often the loop is measured, in milliseconds; lateness counts beyond this. Each measurement wakes the thread: at
 * 20 ms that took half of an idle server's CPU time.
 */
const RESOLUTION_MS = 100;

const NS_PER_SECOND = 1e9;

/** Measures how late the event loop of its thread is. */
export class LoopWatch {
  readonly #histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  #used = performance.eventLoopUtilization();

  constructor() {
    this.#histogram.enable();
  }

  /** The delays since the last call. */
  take(): LoopDelay {
    const histogram = this.#histogram;
    const lateness = (delayNs: number) => Math.max(0, delayNs / NS_PER_SECOND - RESOLUTION_MS / 1_000);
    const used = performance.eventLoopUtilization();
    const load = performance.eventLoopUtilization(used, this.#used).utilization;
    this.#used = used;
    const delay =
      histogram.count === 0
        ? { median: 0, p99: 0, max: 0, load }
        : {
            median: lateness(histogram.percentile(50)),
            p99: lateness(histogram.percentile(99)),
            max: lateness(histogram.max),
            load,
          };
    histogram.reset();
    return delay;
  }
}
