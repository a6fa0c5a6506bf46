import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Channel, ChannelRecord, Target, TargetTotals } from "../channels/channel.ts";
import type { SourceStatus } from "../channels/source.ts";
import { besideTwin, twinsOf } from "../channels/target-twins.ts";
import { type ChannelHealth, channelHealth } from "../health/channel-health.ts";
import type { IngestChecks } from "../ingest-check/ingest-checks.ts";
import type { LiveState } from "../live/live-state.ts";
import type { Totals } from "../live/totals.ts";
import { DomainError } from "../ports/errors.ts";
import type { Runtime } from "../ports/runtime.ts";
import type { SlateState } from "../ports/slate-maker.ts";
import type { ChannelFilter, Page, RemovedTarget, Store } from "../ports/store.ts";
import type { ChannelDetail, ChannelSummary, TargetDetail } from "./details.ts";

export type ChannelReadsOptions = {
  readonly store: Store;
  readonly runtime: Runtime;
  /** Its counters complete the stored totals. */
  readonly view: LiveState;
  readonly totals: Totals;
  /** Its state and its warnings are part of a channel. */
  readonly ingestChecks: Pick<IngestChecks, "warnings" | "state">;
  /** What the channel's source does; a part of the verdict. */
  readonly sourceOf: (channelId: ChannelId) => SourceStatus | undefined;
  /** How its slate is; a part of the verdict. */
  readonly slateOf: (channelId: ChannelId) => SlateState | undefined;
};

/** Which channels a list includes. */
export type ListFilter = Pick<ChannelFilter, "channelId" | "namePart" | "state"> & { readonly isPublishing?: boolean };

/** Channels as they are now: the stored and the live state together. */
export class ChannelReads {
  readonly #options: ChannelReadsOptions;

  constructor(options: ChannelReadsOptions) {
    this.#options = options;
  }

  /** Throws DomainError `channel-not-found`. */
  get(channelId: ChannelId): Promise<ChannelDetail> {
    const { totals, store } = this.#options;
    return totals.readBeside(
      async () => {
        const [channel] = await Promise.all([store.findChannel(channelId), this.#freshen([channelId])]);
        return found(channel);
      },
      (channel) => this.#detail(channel),
    );
  }

  /** Newest first; `total` counts all pages. */
  list(
    filter: ListFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelSummary[]; readonly total: number }> {
    const { totals, store, runtime } = this.#options;
    const { isPublishing, ...rest } = filter;
    const read = async () => {
      const among =
        isPublishing === undefined
          ? {}
          : { among: { channelIds: runtime.publishingChannels(), isInside: isPublishing } };
      const listed = await store.listChannels({ ...rest, ...among }, page);
      await this.#freshen(listed.channels.map(({ channelId }) => channelId));
      return listed;
    };
    return totals.readBeside(read, ({ channels, total }) => ({
      channels: channels.map((channel) => this.#summary(channel)),
      total,
    }));
  }

  /**
   * Runs a write and returns the channel that it returned, without reading it again; undefined where the write returns
   * that. Calls `onStored` first, so that the answer shows its effect.
   */
  async afterWrite(
    write: () => Promise<Channel | undefined>,
    onStored: (channel: Channel) => void,
  ): Promise<ChannelDetail | undefined> {
    return this.#options.totals.writeBeside(write, (channel) => {
      if (channel === undefined) return undefined;
      onStored(channel);
      return this.#detail(channel);
    });
  }

  /**
   * Runs the removal of a target and returns the target as it was, without its live state. Throws DomainError
   * `channel-not-found` or `target-not-found` where the removal returns undefined.
   */
  async removing(channelId: ChannelId, remove: () => Promise<RemovedTarget | undefined>) {
    const { totals } = this.#options;
    const done = await totals.writeBeside(remove, (stored) => {
      if (stored === undefined) return undefined;
      const { live: _over, ...removed } = this.#target(stored.channel, stored.removed);
      return { channel: stored.channel, removed };
    });
    if (done !== undefined) return done;
    await this.get(channelId);
    throw new DomainError({ kind: "target-not-found" });
  }

  /** The verdict on a channel in this state, from what is known without the database. */
  health({ channelId, state }: Pick<ChannelRecord, "channelId" | "state">): ChannelHealth {
    const { runtime, ingestChecks, sourceOf, slateOf } = this.#options;
    return channelHealth({
      ...{ state, live: runtime.live(channelId), source: sourceOf(channelId), slate: slateOf(channelId) },
      warnings: ingestChecks.warnings(channelId),
    });
  }

  async #freshen(channelIds: readonly ChannelId[]): Promise<void> {
    await this.#options.runtime.freshen?.(channelIds);
  }

  #detail(channel: Channel): ChannelDetail {
    return { ...this.#summary(channel), targets: channel.targets.map((target) => this.#target(channel, target)) };
  }

  #summary(channel: ChannelRecord): ChannelSummary {
    const { runtime, view, ingestChecks } = this.#options;
    const live = runtime.live(channel.channelId);
    const checkState = ingestChecks.state(channel.channelId);
    const startTime = live?.startTime ?? channel.recentPublishStartTime;
    return {
      ...channel,
      isPublishing: live?.isPublishing ?? false,
      ...(live?.ingest === undefined ? {} : { ingest: live.ingest }),
      ...(live?.hold === undefined ? {} : { hold: live.hold }),
      ...(live?.owner === undefined ? {} : { owner: live.owner }),
      ...(live?.recording === undefined ? {} : { recording: live.recording }),
      warnings: ingestChecks.warnings(channel.channelId),
      ...(checkState === undefined ? {} : { checkState }),
      health: this.health(channel),
      publishMs: channel.publishMs + view.unstoredPublishMs(channel.channelId),
      ...(startTime === undefined ? {} : { recentPublishStartTime: startTime }),
    };
  }

  #target({ channelId, targets }: Channel, target: Target): TargetDetail {
    const { runtime, view } = this.#options;
    const live = runtime.live(channelId);
    const targetLive = live?.targets.get(target.targetId);
    const status = targetLive?.status;
    // Another target can only explain a failure.
    const shown = status?.lastError === undefined ? status : besideTwin(status, twinsOf(target, targets));
    return {
      ...target,
      totals: sum(target.totals, view.unstoredOfTarget(channelId, target.targetId)),
      isChannelPublishing: live?.isPublishing ?? false,
      ...(live?.owner === undefined ? {} : { owner: live.owner }),
      ...(targetLive === undefined || shown === undefined ? {} : { live: { ...targetLive, status: shown } }),
    };
  }
}

/** Throws DomainError `channel-not-found` where there is none. */
export function found<Value>(channel: Value | undefined): Value {
  if (channel === undefined) throw new DomainError({ kind: "channel-not-found" });
  return channel;
}

/** The channel's target with this id. Throws DomainError `target-not-found`. */
export function targetOf<Each extends Target>(
  { targets }: { readonly targets: readonly Each[] },
  targetId: TargetId,
): Each {
  const target = targets.find((each) => each.targetId === targetId);
  if (target === undefined) throw new DomainError({ kind: "target-not-found" });
  return target;
}

function sum(stored: TargetTotals, unstored: TargetTotals): TargetTotals {
  return {
    bytes: stored.bytes + unstored.bytes,
    playMs: stored.playMs + unstored.playMs,
    retryCount: stored.retryCount + unstored.retryCount,
  };
}
