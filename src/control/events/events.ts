import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import { INGEST_ENDS } from "../../thread-protocol/facts.ts";
import { type ConnectStatus, TargetErrorCode } from "../../thread-protocol/targets/target-status.ts";
import type { Alerts, TargetName } from "../channels/channel.ts";
import { CHANNEL_NOTICE_KINDS } from "../channels/channel-notice.ts";
import { RATE_CAUSES } from "../ingest-check/over-threshold.ts";
import type { Page } from "../store.ts";

/** What an event can be about; the words are the API's. */
export const EVENT_CODES = [
  /** A channel was created. */
  "STREAM_RESERVE",
  /** A channel's or a target's settings changed. */
  "STREAM_UPDATE",
  "PUBLISH_START",
  "PUBLISH_END",
  /** A target settled in another status. */
  "SIMULCAST_STATUS_CHANGE",
  "RTMP_MAIN_STREAM_ENABLED",
  "RTMP_BACKUP_STREAM_ENABLED",
  "BACKUP_SESSION_STREAMING_CONNECTED",
  /** The ingest stays above what a target takes. */
  "PUBLISH_OVER_THRESHOLD",
  // From here on ours: the original ends a broadcast when its encoder is lost.
  /** The encoder was lost; targets are held. */
  "INGEST_HELD",
  /** A person had the hold last longer. */
  "HOLD_EXTENDED",
  /** Media flows again. */
  "INGEST_RESUMED",
  "VIDEO_FROZEN",
  "VIDEO_RESUMED",
  /** Two encoders with the same key push each other out. */
  "ENCODERS_FIGHT",
  /** The encoder that stands by differs from the one on air. */
  "BACKUP_DIFFERS",
  /** An encoder without the channel's login, or with a wrong one, was refused. */
  "AUTH_FAILED",
  "SERVER_OVERLOADED",
] as const;
export type EventCode = (typeof EVENT_CODES)[number];

export const EVENT_LEVELS = ["INFO", "WARN", "ERROR"] as const;
export type EventLevel = (typeof EVENT_LEVELS)[number];

/** What was changed. Notices of other kinds have a code of their own. */
export const CHANGE_REASONS = CHANNEL_NOTICE_KINDS.filter((kind) => kind !== "created" && kind !== "hold-extended");

/** Why something happened, or of a change what was changed: each code has its own of these. */
export const EVENT_REASONS = [
  ...Object.values(TargetErrorCode),
  ...INGEST_ENDS,
  ...RATE_CAUSES,
  // A channel that was made says so by its code.
  ...CHANGE_REASONS,
] as const;
export type EventReason = (typeof EVENT_REASONS)[number];

/** Something that happened to a channel, in words for a person. Holds no secret and no address. */
export type EventBody = {
  readonly channelId: ChannelId;
  readonly code: EventCode;
  readonly level: EventLevel;
  /** When it happened, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly description: string;
  /** The target it was about, */
  readonly targetId?: TargetId;
  /** and what that was called then: it may be gone by now. */
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly from?: ConnectStatus;
  readonly to?: ConnectStatus;
  readonly reason?: EventReason;
};

export type NewEvent = EventBody & {
  /** Whether the channel's webhook, where it has one, is to hear of it. */
  readonly isForWebhook: boolean;
};

/** An event as stored. */
export type ChannelEvent = EventBody & { readonly eventId: number };

export type EventFilter = { readonly channelId?: ChannelId; readonly codes?: readonly EventCode[] };

/** What an event's text and its way to a webhook depend on. */
export type EventSubject = {
  readonly channelId: ChannelId;
  readonly name: string;
  readonly alerts: Alerts;
  /** What the targets that there are are called. */
  readonly targets: ReadonlyMap<TargetId, TargetName>;
};

/** Where events are kept. Every call may reject with StoreUnavailableError. */
export interface EventStore {
  /** The channels of these that ever were, deleted ones too. */
  findEventSubjects(channelIds: readonly ChannelId[]): Promise<readonly EventSubject[]>;
  /**
   * Stores all of them, numbered in this order, and in the same transaction the webhook deliveries they cause: an event
   * for webhooks whose channel has an endpoint of its own, or else where there is a default one, that is not gone.
   */
  appendEvents(events: readonly NewEvent[]): Promise<readonly ChannelEvent[]>;
  /** Newest first; `total` counts all pages. */
  listEvents(
    filter: EventFilter,
    page: Page,
  ): Promise<{ readonly events: readonly ChannelEvent[]; readonly total: number }>;
  /**
   * Removes events from before `time` with their deliveries, at most `limit`, as many reports of broadcasts that were over
   * then, and the endpoints of deleted channels that wait for nothing; answers how many events went.
   */
  pruneEvents(time: number, limit: number): Promise<number>;
}
