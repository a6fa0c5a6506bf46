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
  /** The target that it is about, */
  readonly targetId?: TargetId;
  /** and its name at that time: it may be gone by now. */
  readonly targetName?: string;
  readonly targetLabel?: string;
  readonly from?: ConnectStatus;
  readonly to?: ConnectStatus;
  readonly reason?: EventReason;
  /** Who made the change: the id of an access key, or `dashboard`. */
  readonly by?: string;
  /** Of a refused encoder: the address that it connected from. */
  readonly remoteAddress?: string;
};

/**
 * An event whose description does not have the names of its channel and target yet: they are read when it is stored.
 */
export type EventDraft = Omit<EventBody, "description" | "targetName" | "targetLabel"> & {
  /** The description without the channel's name. `platform`: such as `platform YOUTUBE (38)`, where it is about one. */
  readonly text: (platform: string) => string;
  /** Names at that time, where known; they replace those that are read. */
  readonly channelName?: string;
  readonly ownership?: EventOwnership;
  readonly target?: TargetName;
};

export type NewEvent = EventBody & {
  /** Whether the channel's webhook gets it, where there is one. */
  readonly isForWebhook: boolean;
  /** Where several nodes share the database, of what happened at the owner of the channel; absent for anything else. */
  readonly ownership?: EventOwnership;
};

/** The ownership in which an event happened, and its number among that owner's events. */
export type EventOwnership = { readonly epoch: number; readonly seq: number };

/** An event as stored. */
export type ChannelEvent = EventBody & { readonly eventId: number };

export type EventFilter = {
  readonly channelId?: ChannelId;
  readonly codes?: readonly EventCode[];
  /** From and to when it happened, both included, milliseconds since the Unix epoch. */
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

/** The store of events. Every call may reject with StoreUnavailableError. */
export interface EventStore {
  /** Those of these channels that ever existed, deleted ones included. */
  findEventSubjects(channelIds: readonly ChannelId[]): Promise<readonly EventSubject[]>;
  /**
   * Stores all of them, numbered in this order, and in the same transaction their webhook deliveries: one for each
   * event for webhooks whose channel has an endpoint that is not gone, its own or else the default one. Of an ownership's
   * events skips those that are stored already, and those of an ownership that is finished and over. Returns what was stored.
   */
  appendEvents(events: readonly NewEvent[]): Promise<readonly ChannelEvent[]>;
  /**
   * Finishes everything of this ownership and those before: their owners write no more events and reports. Ends a report
   * that is still on air, and stores the event that `compose` makes of the last moment that is known, where the broadcast
   * has not ended. Of several callers one does it. Returns the stored event; undefined where there is none.
   */
  finishBroadcasts(
    channelId: ChannelId,
    epoch: number,
    compose: (lastTime: number) => NewEvent,
  ): Promise<ChannelEvent | undefined>;
  /**
   * The owner of this ownership has it still, which others finished since they could not hear it. It goes on to write, and where
   * they ended its broadcast that begins anew: stores `PUBLISH_START` again, and returns it. Undefined where there is no such
   * broadcast, or the ownership is not finished or not the channel's last one. `time`: of the event. What the owner writes of such
   * an ownership has the same effect.
   */
  goOnWithBroadcast(channelId: ChannelId, epoch: number, time: number): Promise<ChannelEvent | undefined>;
  /**
   * Finishes everything of this ownership and those before, whose broadcast goes on under a later one, and stores this
   * event. Returns it as stored; undefined where the ownership was finished before.
   */
  moveBroadcast(channelId: ChannelId, epoch: number, event: NewEvent): Promise<ChannelEvent | undefined>;
  /** Newest first; `total` counts all pages. */
  listEvents(
    filter: EventFilter,
    page: Page,
  ): Promise<{ readonly events: readonly ChannelEvent[]; readonly total: number }>;
  /**
   * Removes at most `limit` events from before `time` with their deliveries, as many reports of broadcasts that had
   * ended by then, and the endpoints of deleted channels without waiting deliveries. Returns the number of removed
   * events.
   */
  pruneEvents(time: number, limit: number): Promise<number>;
}
