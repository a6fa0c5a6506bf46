import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { WallSteps } from "../../base/wall-steps.ts";
import type { ChannelNotice } from "../../control/channels/channel-notice.ts";
import type { TroubleChange } from "../../control/live/server-troubles.ts";
import { LiveStream, type LiveStreamOptions } from "../../http/live/live-stream.ts";
import { logFact } from "../../telemetry/fact-log.ts";
import { LoopWatch } from "../../telemetry/loop-watch.ts";
import { Metrics } from "../../telemetry/metrics.ts";
import { Overloads } from "../../telemetry/overload.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { LoopDelay } from "../../thread-protocol/loop-delay.ts";
import type { ChannelSample } from "../../thread-protocol/samples.ts";
import type { ThreadNews } from "./media/media-pool.ts";

/** How often this thread's event loop is asked how late it was, in milliseconds. */
const LOOP_DELAY_INTERVAL_MS = 5_000;

/** How often the clock of the day is looked at, in milliseconds. */
const CLOCK_INTERVAL_MS = 1_000;

export type ObserversOptions = LiveStreamOptions & {
  /** Channels on air now. */
  readonly publishingChannels: () => readonly ChannelId[];
  /** The part of its time that a thread may be busy. */
  readonly loadMax: number;
  /** Whether any thread does not keep up; told again and again. */
  readonly onOverload: (isThere: boolean) => void;
};

/** Who hears what happens: the log, the live stream, the metrics. One call tells all of them, in that order. */
export class Observers {
  readonly live: LiveStream;
  readonly metrics: Metrics;
  readonly #log: Log;
  readonly #overloads: Overloads;
  readonly #onOverload: (isThere: boolean) => void;

  constructor(options: ObserversOptions) {
    this.#log = options.log;
    this.#overloads = new Overloads(options.loadMax);
    this.#onOverload = options.onOverload;
    this.live = new LiveStream(options);
    this.metrics = new Metrics((channelId) => options.service.liveHealth(channelId).state);
    this.#watchLoop(options.clock);
    this.#watchClock(options);
  }

  fact(fact: Fact): void {
    logFact(this.#log, fact);
    this.live.fact(fact);
    this.metrics.fact(fact);
  }

  samples(samples: readonly ChannelSample[]): void {
    this.live.samples(samples);
    this.metrics.samples(samples);
  }

  trouble({ trouble, isOver }: TroubleChange): void {
    const { name, message } = trouble;
    if (isOver) this.#log.info("server trouble over", { trouble: name });
    else this.#log.error("server trouble", { trouble: name, message });
    this.metrics.serverTrouble(name, !isOver);
    this.live.serverChanged();
  }

  notice(notice: ChannelNotice): void {
    this.live.changed(notice.channelId);
    const { kind, channelId, target } = notice;
    if (kind === "deleted") this.metrics.forget(channelId);
    if (kind === "target-removed" && target !== undefined) this.metrics.forgetTarget(channelId, target.targetId);
  }

  /** `thread`: a media thread's name. */
  thread(news: ThreadNews): void {
    switch (news.kind) {
      case "loop-delay":
        return this.#loopDelay(news.thread, news.delay);
      case "handed-over":
        return this.metrics.handedOver(news.what);
      case "hand-over-waits":
        return this.metrics.handOverWait(news.thread);
    }
  }

  #loopDelay(thread: string, delay: LoopDelay): void {
    this.metrics.loopDelay(thread, delay);
    this.#onOverload(this.#overloads.take(thread, delay));
  }

  /** After the clock of the day was set, "since when" is told anew of all that is on air. */
  #watchClock({ clock, publishingChannels }: ObserversOptions): void {
    const steps = new WallSteps(clock);
    let mark = steps.mark();
    const look = () => {
      const stepMs = steps.since(mark);
      if (stepMs !== 0) {
        mark = steps.mark();
        this.#log.warn("clock set", { byMs: stepMs });
        for (const channelId of publishingChannels()) this.live.changed(channelId);
      }
      clock.startTimer(CLOCK_INTERVAL_MS, look);
    };
    clock.startTimer(CLOCK_INTERVAL_MS, look);
  }

  /** This thread's own event loop. */
  #watchLoop(clock: Clock): void {
    const watch = new LoopWatch();
    const look = () => {
      this.#loopDelay("control", watch.take());
      clock.startTimer(LOOP_DELAY_INTERVAL_MS, look);
    };
    clock.startTimer(LOOP_DELAY_INTERVAL_MS, look);
  }
}
