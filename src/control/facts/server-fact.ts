import type { ChannelChange, MissedReason, RateReason } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { RecordingKey, RecordingUpload } from "../../thread-protocol/recordings/recordings.ts";
import type { ServerTroubleName } from "../../thread-protocol/server-troubles.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import type { TargetName } from "../channels/channel.ts";
import type { SourceStatus } from "../channels/source.ts";

/** A use case changed a channel or one of its targets, and the change is stored. Holds no secret and no address. */
export type ChannelChanged = {
  readonly kind: "channel-changed";
  readonly change: ChannelChange;
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  /** The channel's name after the change. */
  readonly channelName: string;
  /** The target it was about. */
  readonly target?: TargetName & { readonly targetId: TargetId };
  /** For a rename: the name before. */
  readonly nameBefore?: string;
  /** Of changed labels: all of them after the change. */
  readonly labels?: readonly string[];
  /** Of a deleted recording: which. */
  readonly recordingId?: string;
  /** For a failed test: why. */
  readonly error?: TargetError;
  /** Who made the change: the id of an access key, or `dashboard`; absent where no request did. */
  readonly by?: string;
};

/** An encoder's rate stayed above a target's limit. Rates are bytes a second. */
export type OverThreshold = {
  readonly kind: "over-threshold";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  readonly targetId: TargetId;
  readonly reason: RateReason;
  readonly bytesPerSecond: number;
  readonly limit: number;
};

/** The stream check found digital silence in a channel's audio, or audio after it. */
export type SilenceChanged = {
  readonly kind: "silence-changed";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  /** How long the silence has lasted. */
  readonly seconds: number;
  readonly isOver: boolean;
};

/** The last process died during this broadcast. Published by the next one. */
export type BroadcastLost = {
  readonly kind: "broadcast-lost";
  /** The last moment that is known of it, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
};

/** A channel's source begins, goes on with another file, or stops. */
export type SourceChanged = {
  readonly kind: "source-changed";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  readonly from: SourceStatus["state"];
  readonly status: SourceStatus;
};

/** A channel on air has a slate that cannot be shown. */
export type SlateFailed = {
  readonly kind: "slate-failed";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  /** Why, in English. */
  readonly sentence: string;
};

/** A start of a schedule was due. */
export type ScheduleRan = {
  readonly kind: "schedule-ran";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly channelId: ChannelId;
  readonly scheduleId: string;
  readonly name: string;
  readonly dueTime: number;
  /** Why it was missed; absent: it plays. */
  readonly reason?: MissedReason;
};

/** A recording was uploaded, or its upload failed in a way that a person should know. */
export type RecordingUploaded = RecordingKey & {
  readonly kind: "recording-upload";
  /** Milliseconds since the Unix epoch. */
  readonly time: number;
  readonly upload: RecordingUpload;
};

/** Something that is wrong with this server itself. */
export type ServerTrouble = {
  readonly name: ServerTroubleName;
  /** Milliseconds since the Unix epoch. */
  readonly sinceTime: number;
  readonly message: string;
  readonly messageKo: string;
};

/** A trouble of this server began or ended. */
export type TroubleChanged = {
  readonly kind: "server-trouble-changed";
  readonly trouble: ServerTrouble;
  readonly isOver: boolean;
};

/**
 * Everything that happens in this server: the facts of the media threads, changes by use cases, findings of the ingest
 * check, sources, what the last process left behind, and troubles of the server itself. All of them go over one
 * `FactBus`.
 */
export type ServerFact =
  | Fact
  | ChannelChanged
  | SourceChanged
  | ScheduleRan
  | OverThreshold
  | SilenceChanged
  | SlateFailed
  | BroadcastLost
  | TroubleChanged
  | RecordingUploaded;
