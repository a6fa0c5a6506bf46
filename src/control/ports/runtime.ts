import type { ChannelId, ChannelSpec, IngestSlot, TargetId, TargetSpec } from "../../thread-protocol/channel-spec.ts";
import type { HoldChange } from "../../thread-protocol/hold-limits.ts";
import type { PreflightResult } from "../../thread-protocol/preflight.ts";
import type { IngestSample, TargetSample } from "../../thread-protocol/samples.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";

/** What is true of one target as the media thread last told it. */
export type TargetLive = { readonly status: TargetStatus; readonly sample?: TargetSample };

/** A hold that runs. Times are milliseconds since the Unix epoch. */
export type Hold = {
  /** When it ends unless the encoder is back or somebody extends it. */
  readonly endTime: number;
  /** Until when it can be extended. */
  readonly limitTime: number;
};

/** What is true of one channel as the media thread last told it. */
export type ChannelLive = {
  readonly isPublishing: boolean;
  /** When the broadcast began, milliseconds since the Unix epoch; absent before the first. */
  readonly startTime?: number;
  /** While the encoder is lost. */
  readonly hold?: Hold;
  /** The encoder on air, or last on air. */
  readonly ingest?: IngestSample;
  /** Only targets whose status was ever told. */
  readonly targets: ReadonlyMap<TargetId, TargetLive>;
};

/** Where a preview goes. */
export type PreviewClientSink = {
  /** The next bytes of one FLV stream. */
  readonly take: (bytes: Uint8Array) => void;
  /** Nothing comes any more: the channel is off air, or the watcher was too slow. */
  readonly end: () => void;
};

/** A preview that runs. */
export type PreviewClient = {
  /** So many more of the bytes have left: no more than a bound of them is ever under way. */
  taken(bytes: number): void;
  /** Idempotent. */
  leave(): void;
};

/** The data plane as the use cases see it. */
export interface Runtime {
  /** A stored change: to be carried out where the channel is resident, no matter otherwise. */
  apply(spec: ChannelSpec): void;
  /** The channel is deleted: its publishers are disconnected, and its state is dropped. */
  remove(channelId: ChannelId): void;
  /** Ends the broadcast, or its hold, now: targets are told that it is over, the encoder is sent away. */
  end(channelId: ChannelId): void;
  /** Extends the channel's hold by a minute, or ends it; no matter where no hold runs. */
  changeHold(channelId: ChannelId, how: HoldChange): void;
  /** Sends the encoder of this key away as if its connection were lost: its key changed. */
  disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void;
  /** Dials a target that waits for its next attempt at once; no matter where it does not wait. */
  retryTarget(channelId: ChannelId, targetId: TargetId): void;
  /** Tries a target as if for real, sending no media. Rejects where the media thread does not answer. */
  testTarget(target: TargetSpec): Promise<PreflightResult>;
  /** Shows what the channel sends, from its last keyframe on; ends at once where it is not on air. */
  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient;
  /** Undefined where nothing was ever told of the channel. */
  live(channelId: ChannelId): ChannelLive | undefined;
  /** All channels on air. */
  publishingChannels(): readonly ChannelId[];
}
