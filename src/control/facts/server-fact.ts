import type { ChannelChange, RateReason } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../thread-protocol/facts.ts";
import type { ServerTroubleName } from "../../thread-protocol/server-troubles.ts";
import type { TargetError } from "../../thread-protocol/targets/target-status.ts";
import type { TargetName } from "../channels/channel.ts";

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
  /** Of a rename: the name before. */
  readonly nameBefore?: string;
  /** Of changed labels: all of them after the change. */
  readonly labels?: readonly string[];
  /** Of a test that failed: why. */
  readonly error?: TargetError;
  /** Who asked for it: the id of an access key, or `dashboard`; absent where no request did. */
  readonly by?: string;
};

/** What an encoder sends stayed above a target's limit. Rates are bytes a second. */
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

/** Something that is wrong with this server itself. */
export type ServerTrouble = {
  readonly name: ServerTroubleName;
  /** Milliseconds since the Unix epoch. */
  readonly sinceTime: number;
  readonly message: string;
  readonly messageKo: string;
};

/** A trouble of this server began or is over. */
export type TroubleChanged = {
  readonly kind: "server-trouble-changed";
  readonly trouble: ServerTrouble;
  readonly isOver: boolean;
};

/**
 * Everything that happens in this server: what the media threads tell, what use cases changed, what the ingest check
 * measured, and what is wrong with the server itself. It is told on one `FactBus`.
 */
export type ServerFact = Fact | ChannelChanged | OverThreshold | TroubleChanged;
