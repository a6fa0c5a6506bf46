import type { IngestUser } from "../../thread-protocol/admission.ts";
import type {
  BufferPolicy,
  ChannelId,
  SilentAudio,
  TargetId,
  TargetTrust,
  TrackChoice,
} from "../../thread-protocol/channel-spec.ts";
import type {
  Alerts,
  Channel,
  ChannelRecord,
  ChannelSettings,
  ChannelState,
  Target,
  TargetSettings,
  TargetTotals,
} from "../channels/channel.ts";
import type { TargetWindows } from "../channels/target-windows.ts";
import type { AccessKeyStore } from "./access-key-store.ts";

/** A new channel. Holds secrets. */
export type NewChannel = ChannelSettings & {
  readonly channelId: ChannelId;
  readonly streamKey: string;
  /** Absent: no backup ingest. */
  readonly backupStreamKey?: string;
  readonly createdTime: number;
  readonly targets: readonly TargetSettings[];
};

/**
 * A change of a channel. Absent fields stay as they are. An empty backup key, a login with an empty id and an empty list of
 * labels remove the present ones.
 */
export type ChannelChange = Partial<Omit<ChannelSettings, "alerts">> & {
  readonly alerts?: Partial<Alerts>;
  readonly state?: Exclude<ChannelState, "deleted">;
  readonly streamKey?: string;
  readonly backupStreamKey?: string;
};

/**
 * Decides the change of a channel from its state in the transaction that changes it. Undefined changes nothing, and so
 * does throwing. May be called again when the transaction is retried.
 */
export type ChannelDecision = (present: Channel) => ChannelChange | undefined;

/** The same for one of its targets. */
export type TargetDecision = (present: Target) => TargetChange | undefined;

/** Checks a channel in the transaction that is about to change it. Throwing changes nothing. */
export type ChannelCheck = (present: Channel) => void;

/** A change of a target. Absent fields stay as they are; `""` clears login, label and the fields of `tls`. */
export type TargetChange = {
  readonly url?: string;
  readonly streamKey?: string;
  readonly loginId?: string;
  readonly loginPassword?: string;
  readonly label?: string;
  readonly isEnabled?: boolean;
  readonly bufferPolicy?: BufferPolicy;
  readonly tls?: TargetTrust;
  /** `all`: all tracks again. */
  readonly tracks?: TrackChoice | "all";
  readonly hasTimedData?: boolean;
  readonly silentAudio?: SilentAudio;
  readonly delaySeconds?: number;
  /** `none`: it is always on again. */
  readonly windows?: TargetWindows | "none";
  readonly isOutsideWindows?: boolean;
  /** 0: nobody turned it on outside of its windows. */
  readonly openUntil?: number;
};

/** A channel after the removal of one of its targets, and the target as it was. */
export type RemovedTarget = { readonly channel: Channel; readonly removed: Target };

/** Which channels a list includes. Absent: no condition. */
export type ChannelFilter = {
  readonly channelId?: ChannelId;
  /** A part of the name, in small or capital letters. */
  readonly namePart?: string;
  readonly state?: ChannelState;
  /** Only these, or all except these. */
  readonly among?: { readonly channelIds: readonly ChannelId[]; readonly isInside: boolean };
};

/** `number` counts from 1. */
export type Page = { readonly number: number; readonly size: number };

/** Amounts to add to the stored totals. */
export type TotalsBatch = {
  readonly channels: readonly {
    readonly channelId: ChannelId;
    readonly publishMs: number;
    /** Set where a broadcast began since the last batch. */
    readonly recentPublishStartTime?: number;
  }[];
  readonly targets: readonly (TargetTotals & { readonly targetId: TargetId })[];
};

/**
 * The store of channels and access keys. A resolved promise means that the write survives a crash of the process and of
 * the machine. Every call may reject with StoreUnavailableError. Deleted channels are kept but never found.
 */
export interface Store extends AccessKeyStore {
  /** This and `changeChannel` throw DomainError `ingest-login-taken` where another channel has the login's id. */
  createChannel(channel: NewChannel): Promise<Channel>;
  /** Newest first; `total` counts all pages. */
  listChannels(
    filter: ChannelFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelRecord[]; readonly total: number }>;
  /** Everything that a list would include, newest first. */
  listChannelIds(): Promise<readonly ChannelId[]>;
  findChannel(channelId: ChannelId): Promise<Channel | undefined>;
  /** The channel whose main or backup key this is, also a blocked one. */
  findChannelByStreamKey(streamKey: string): Promise<Channel | undefined>;
  /** The live channel whose encoders log in with this name, and their password. */
  findIngestUser(userId: string): Promise<IngestUser | undefined>;
  /** The channel as it was before it was deleted; undefined where there was none. */
  deleteChannel(channelId: ChannelId): Promise<Channel | undefined>;
  /** The channel after the change, with its new revision if something changed; undefined where it does not exist. */
  changeChannel(channelId: ChannelId, decide: ChannelDecision): Promise<Channel | undefined>;
  /** The channel with its new target, the last one; undefined where there is no channel. */
  addTarget(channelId: ChannelId, target: TargetSettings, check: ChannelCheck): Promise<Channel | undefined>;
  /** The channel without the target, and the target as it was; undefined where the channel had no such target. */
  removeTarget(channelId: ChannelId, targetId: TargetId): Promise<RemovedTarget | undefined>;
  /** The channel after the change, with its new revision if something changed; undefined where it has no such target. */
  changeTarget(channelId: ChannelId, targetId: TargetId, decide: TargetDecision): Promise<Channel | undefined>;
  /** All of the batch or nothing. Skips channels and targets that no longer exist. */
  addTotals(batch: TotalsBatch): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
