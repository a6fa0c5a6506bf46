import type { EventCode, EventLevel, EventReason } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ConnectStatus } from "../../thread-protocol/targets/target-status.ts";
import type { Alerts, TargetName } from "../channels/channel.ts";
import type { Page } from "../ports/store.ts";

/** Something that happened to a channel, in words for a person. Holds no secret and no address. */
type EventBody = {
  readonly channelId: ChannelId;
  readonly code: EventCode;
  readonly level: EventLevel;
  /** When it happened, milliseconds since the Unix epoch. */
  readonly time: number;
  readonly description: string;
  /** The target it was about, */
  readonly targetId?: TargetId;
  /** and its name then: it may be gone by now. */
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly from?: ConnectStatus;
  readonly to?: ConnectStatus;
  readonly reason?: EventReason;
  /** Who asked for the change: the id of an access key, or `dashboard`. */
  readonly by?: string;
};

/** An event whose description still lacks the names of its channel and target: they are read when it is stored. */
export type EventDraft = Omit<EventBody, "description" | "targetName" | "targetLabel"> & {
  /** The description behind the channel's name. `platform`: `platform YOUTUBE (38)`, where it is about one. */
  readonly text: (platform: string) => string;
  /** Names of the moment, where they are known; they win over those that are read. */
  readonly channelName?: string;
  readonly target?: TargetName;
};

export type NewEvent = EventBody & {
  /** Whether the channel's webhook, where it has one, gets it. */
  readonly isForWebhook: boolean;
};

/** An event as stored. */
export type ChannelEvent = EventBody & { readonly eventId: number };

export type EventFilter = {
  readonly channelId?: ChannelId;
  readonly codes?: readonly EventCode[];
  /** When it happened, both ends included, milliseconds since the Unix epoch. */
  readonly from?: number;
  readonly to?: number;
};

/** What completes an event: the channel's names, and which events its webhook gets. */
export type EventSubject = {
  readonly channelId: ChannelId;
  readonly name: string;
  readonly alerts: Alerts;
  /** The names of its present targets. */
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
   * then, and the endpoints of deleted channels that wait for nothing. Returns the number of removed events.
   */
  pruneEvents(time: number, limit: number): Promise<number>;
}
