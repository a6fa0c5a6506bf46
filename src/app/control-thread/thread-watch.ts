import type { Clock } from "../../base/clock.ts";
import { LoopWatch } from "../../telemetry/loop-watch.ts";
import { Overloads } from "../../telemetry/overload.ts";
import type { ThreadMetrics } from "../../telemetry/thread-metrics.ts";
import type { LoopDelay } from "../../thread-protocol/loop-delay.ts";
import type { ThreadNews } from "./media/thread-news.ts";

/** How often this thread measures how late its event loop was, in milliseconds. */
const LOOP_DELAY_INTERVAL_MS = 5_000;

export type ThreadWatchOptions = {
  readonly clock: Clock;
  readonly metrics: ThreadMetrics;
  /** The share of its time that a thread may be busy. */
  readonly loadMax: number;
  /** Whether any thread cannot keep up. Called again with every measurement. */
  readonly onOverload: (isThere: boolean) => void;
};

/** Counts how late and how busy the threads are, and reports a trouble where one cannot keep up. */
export class ThreadWatch {
  readonly #options: ThreadWatchOptions;
  readonly #overloads: Overloads;
  /** The last two reports of each thread. */
  readonly #delays = new Map<string, readonly [number, number]>();

  constructor(options: ThreadWatchOptions) {
    this.#options = options;
    this.#overloads = new Overloads(options.loadMax);
    this.#watchLoop();
  }

  /** Takes what a media thread reports about itself. */
  take(news: Exclude<ThreadNews, { readonly kind: "span" }>): void {
    const { metrics } = this.#options;
    switch (news.kind) {
      case "loop-delay":
        metrics.directSockets(news.thread, news.directSockets);
        return this.#loopDelay(news.thread, news.delay);
      case "remote-connection":
        return metrics.remoteConnection(news.what);
      case "remote-publisher-waits":
        return metrics.remotePublisherWaits(news.thread);
    }
  }

  /**
   * How late the latest event loop was as the 99th percentile, in seconds. The lower of a thread's last two reports counts:
   * one long pause in ten seconds is no load.
   */
  get loopDelaySeconds(): number {
    return Math.max(0, ...[...this.#delays.values()].map((reports) => Math.min(...reports)));
  }

  #loopDelay(thread: string, delay: LoopDelay): void {
    const [, before = 0] = this.#delays.get(thread) ?? [];
    this.#delays.set(thread, [before, delay.p99]);
    this.#options.metrics.loopDelay(thread, delay);
    this.#options.onOverload(this.#overloads.take(thread, delay));
  }

  /** This thread's own event loop. */
  #watchLoop(): void {
    const { clock } = this.#options;
    const watch = new LoopWatch();
    const look = () => {
      this.#loopDelay("control", watch.take());
      clock.startTimer(LOOP_DELAY_INTERVAL_MS, look);
    };
    clock.startTimer(LOOP_DELAY_INTERVAL_MS, look);
  }
}
