import type { ChannelId, ChannelSpec, IngestSlot, TargetId, TargetSpec } from "../../thread-protocol/channel-spec.ts";
import type { HoldChange } from "../../thread-protocol/hold-limits.ts";
import type { Keyframe } from "../../thread-protocol/keyframe.ts";
import type { PreflightResult } from "../../thread-protocol/preflight.ts";
import type { RecordingStatus } from "../../thread-protocol/recordings/recordings.ts";
import type { IngestSample, TargetSample } from "../../thread-protocol/samples.ts";
import type { OwnerState } from "../../thread-protocol/targets/owner-states.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import type { TestPatternRequest, TestPatternResult } from "../../thread-protocol/test-pattern.ts";

/** The state of one target as the media thread last reported it. */
export type TargetLive = {
  readonly status: TargetStatus;
  readonly sample?: TargetSample;
  /** Milliseconds in the present broadcast, or the last one, in which it got the stream. Absent before the first sample. */
  readonly onAirMs?: number;
};

/** A running hold. Times are milliseconds since the Unix epoch. */
export type Hold = {
  /** When it ends unless the encoder comes back or somebody extends it. */
  readonly endTime: number;
  /** Until when it can be extended. */
  readonly limitTime: number;
};

/** The node that owns a channel. `ageMs`: how old what is known of its channels is, in milliseconds. */
export type OwnerLive = { readonly state: OwnerState; readonly ageMs: number };

/** The state of one channel as the media thread last reported it. */
export type ChannelLive = {
  readonly isPublishing: boolean;
  /** When the broadcast began, milliseconds since the Unix epoch; absent before the first. */
  readonly startTime?: number;
  /** While the encoder is lost. */
  readonly hold?: Hold;
  /** The encoder on air, or last on air. */
  readonly ingest?: IngestSample;
  /** Absent where nothing was reported. */
  readonly recording?: RecordingStatus;
  /** Only targets whose status was reported. */
  readonly targets: ReadonlyMap<TargetId, TargetLive>;
  /** Where several nodes share the database: the node that owns the channel. Absent on a single one. */
  readonly owner?: OwnerLive;
};

/** The receiver of a preview. */
export type PreviewClientSink = {
  /** The next bytes of one FLV stream. */
  readonly take: (bytes: Uint8Array) => void;
  /** Called at the end: the channel is off air, or the viewer was too slow. */
  readonly end: () => void;
};

/** A running preview. */
export type PreviewClient = {
  /** This many more of the bytes have been sent: the number of bytes under way is bounded. */
  taken(bytes: number): void;
  /** Idempotent. */
  leave(): void;
};

/**
 * The data plane as the use cases see it. Where another node owns the channel, calls that return a promise wait until it
 * has taken the command, and reject with OwnerUnavailableError where it does not.
 */
export interface Runtime {
  /** Applies a stored change in the thread that owns the channel; does nothing where no thread does. */
  apply(spec: ChannelSpec): void;
  /** The channel is deleted: its publishers are disconnected, and its state is dropped. */
  remove(channelId: ChannelId): void;
  /** Ends the broadcast, or its hold, now: ends the targets properly and disconnects the encoder. */
  end(channelId: ChannelId): void | Promise<void>;
  /** Extends the channel's hold by a minute, or ends it; does nothing where no hold runs. */
  changeHold(channelId: ChannelId, how: HoldChange): void | Promise<void>;
  /** Disconnects the encoder of this key as if its connection were lost: its key changed. */
  disconnectPublisher(channelId: ChannelId, slot: IngestSlot): void | Promise<void>;
  /** Dials a waiting target at once; does nothing where it does not wait. */
  retryTarget(channelId: ChannelId, targetId: TargetId): void | Promise<void>;
  /** Drops what is delayed of a target, which goes on live at the next keyframe; does nothing where nothing is. */
  cutDelay(channelId: ChannelId, targetId: TargetId): void | Promise<void>;
  /**
   * Sends the built-in clip as the channel's encoder. `read` finds the channel's spec, and again where the channel changes
   * meanwhile; rejects as it does, and where the media thread does not answer.
   */
  startTestPattern(
    channelId: ChannelId,
    read: () => Promise<ChannelSpec>,
    how: Omit<TestPatternRequest, "kind" | "spec">,
  ): Promise<TestPatternResult>;
  /** Ends the channel's test pattern, and its broadcast; does nothing where an encoder has taken over. */
  stopTestPattern(channelId: ChannelId): void | Promise<void>;
  /** Connects to a target as for a broadcast, but sends no media. Rejects where the media thread does not answer. */
  testTarget(target: TargetSpec): Promise<PreflightResult>;
  /** Sends what the channel sends, from its last keyframe on; ends at once where it is not on air. */
  watch(channelId: ChannelId, sink: PreviewClientSink): PreviewClient;
  /**
   * The last keyframe of a channel on air; `unchanged` where that is the one of `knownTime`. Rejects where the media thread does
   * not answer.
   */
  keyframe(channelId: ChannelId, knownTime?: number): Promise<Keyframe>;
  /** Asks the nodes that own these channels for their present counters, where nothing reads them here already. */
  freshen?(channelIds: readonly ChannelId[]): Promise<void>;
  /** Undefined where nothing was reported of the channel. */
  live(channelId: ChannelId): ChannelLive | undefined;
  /** All channels on air. */
  publishingChannels(): readonly ChannelId[];
}
