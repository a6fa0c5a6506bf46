import { unreachable } from "../../base/unreachable.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { channelSpec } from "../channels/channel.ts";
import { DomainError } from "../ports/errors.ts";
import type { ChannelLive } from "../ports/runtime.ts";
import { found } from "./channel-reads.ts";
import type { ChannelDetail } from "./details.ts";
import { type EditContext, EFFECT_DEADLINE_MS } from "./edit-context.ts";

/** The most test patterns at a time on one server. */
const RUNNING_MAX = 4;

/**
 * The test pattern: the built-in clip, sent as a channel's encoder to the platforms that are on, so that people can try
 * the whole way before they connect an encoder. Both calls throw DomainError `channel-not-found`.
 */
export class TestPatterns {
  readonly #context: EditContext;
  /** Channels whose pattern is about to begin. */
  readonly #starting = new Set<ChannelId>();

  constructor(context: EditContext) {
    this.#context = context;
  }

  /**
   * Sends the pattern for this many seconds: to these targets as far as they are on, or to all that are on. It
   * interrupts no broadcast and no hold: throws DomainError `encoder-on-air` where one runs, `test-pattern-running`,
   * `channel-off`, `too-many-test-patterns`, `server-overloaded`, and `target-not-found`.
   */
  async start(channelId: ChannelId, seconds: number, targetIds?: readonly TargetId[]): Promise<ChannelDetail> {
    const { runtime, view, reads, store, clock, publish } = this.#context;
    if (this.#starting.has(channelId)) throw new DomainError({ kind: "test-pattern-running" });
    const read = async () => {
      const channel = found(await store.findChannel(channelId));
      const isKnown = (id: TargetId) => channel.targets.some(({ targetId }) => targetId === id);
      if (targetIds?.every(isKnown) === false) throw new DomainError({ kind: "target-not-found" });
      if (channel.state === "blocked") throw new DomainError({ kind: "channel-off" });
      const live = runtime.live(channelId);
      if (isTestPattern(live)) throw new DomainError({ kind: "test-pattern-running" });
      if (live?.isPublishing === true) throw new DomainError({ kind: "encoder-on-air" });
      if (this.#countOthers(channelId) >= RUNNING_MAX) throw new DomainError({ kind: "too-many-test-patterns" });
      return channelSpec(channel);
    };
    this.#starting.add(channelId);
    try {
      const forMs = seconds * 1_000;
      const result = await runtime.startTestPattern(channelId, read, {
        ...{ endTime: clock.wallNow() + forMs, forMs },
        ...(targetIds === undefined ? {} : { targetIds }),
      });
      switch (result) {
        case "started":
          break;
        case "on-air":
          throw new DomainError({ kind: "encoder-on-air" });
        case "overloaded":
          throw new DomainError({ kind: "server-overloaded" });
        default:
          return unreachable(result);
      }
      await view.until(() => isTestPattern(runtime.live(channelId)), EFFECT_DEADLINE_MS);
    } finally {
      this.#starting.delete(channelId);
    }
    const channel = await reads.get(channelId);
    publish("test-pattern-started", channel);
    return channel;
  }

  /** Ends the pattern, and the platforms' streams with it. Throws DomainError `no-test-pattern` where none runs. */
  async stop(channelId: ChannelId): Promise<ChannelDetail> {
    const { runtime, view, reads, publish } = this.#context;
    const channel = await reads.get(channelId);
    if (!isTestPattern(runtime.live(channelId))) throw new DomainError({ kind: "no-test-pattern" });
    publish("test-pattern-stopped", channel);
    await runtime.stopTestPattern(channelId);
    await view.until(() => !isTestPattern(runtime.live(channelId)), EFFECT_DEADLINE_MS);
    return reads.get(channelId);
  }

  #countOthers(channelId: ChannelId): number {
    const { runtime } = this.#context;
    const running = runtime.publishingChannels().filter((each) => isTestPattern(runtime.live(each)));
    const all = new Set([...running, ...this.#starting]);
    all.delete(channelId);
    return all.size;
  }
}

function isTestPattern(live: ChannelLive | undefined): boolean {
  return live?.isPublishing === true && live.ingest?.testPatternEndTime !== undefined;
}
