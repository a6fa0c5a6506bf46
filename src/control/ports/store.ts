import type { IngestUser } from "../../thread-protocol/admission.ts";
import type {
  BufferPolicy,
  ChannelId,
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
import type { AccessKeyStore } from "./access-key-store.ts";

/** A channel to be stored. Holds secrets. */
export type NewChannel = ChannelSettings & {
  readonly channelId: ChannelId;
  readonly streamKey: string;
  /** Absent: no backup ingest. */
  readonly backupStreamKey?: string;
  readonly createdTime: number;
  readonly targets: readonly TargetSettings[];
};

/**
 * What changes of a channel. Absent keeps. An empty backup key, a login with an empty id and an empty list of labels remove
 * the present one.
 */
export type ChannelChange = Partial<Omit<ChannelSettings, "alerts">> & {
  readonly alerts?: Partial<Alerts>;
  readonly state?: Exclude<ChannelState, "deleted">;
  readonly streamKey?: string;
  readonly backupStreamKey?: string;
};

/**
 * Decides what changes of a channel, from how it is in the transaction that changes it. Undefined leaves it as it is, and so
 * does throwing. It may be called again for a transaction that is tried again.
 */
export type ChannelDecision = (present: Channel) => ChannelChange | undefined;

/** The same for one of its targets. */
export type TargetDecision = (present: Target) => TargetChange | undefined;

/** Checks a channel in the transaction that is about to change it. Throwing leaves it as it is. */
export type ChannelCheck = (present: Channel) => void;

/** What changes of a target. Absent keeps; for login, label and what is in `tls` `""` clears. */
export type TargetChange = {
  readonly url?: string;
  readonly streamKey?: string;
  readonly loginId?: string;
  readonly loginPassword?: string;
  readonly label?: string;
  readonly isEnabled?: boolean;
  readonly bufferPolicy?: BufferPolicy;
  readonly tls?: TargetTrust;
  /** `all`: none is chosen any more. */
  readonly tracks?: TrackChoice | "all";
  readonly hasTimedData?: boolean;
};

/** A channel after one of its targets was removed, and the target as it was. */
export type RemovedTarget = { readonly channel: Channel; readonly removed: Target };

/** Which channels a list holds. Absent: no condition. */
export type ChannelFilter = {
  readonly channelId?: ChannelId;
  /** Part of the name, small and capital letters alike. */
  readonly namePart?: string;
  readonly state?: ChannelState;
  /** Only these, or all but these. */
  readonly among?: { readonly channelIds: readonly ChannelId[]; readonly isInside: boolean };
};

/** `number` counts from 1. */
export type Page = { readonly number: number; readonly size: number };

/** What is to be added to the stored totals. */
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
 * Where channels and access keys are kept. A promise that resolves means the write survives a crash of the process and
 * of the machine. Every call may reject with StoreUnavailableError. Deleted channels are kept but never found.
 */
export interface Store extends AccessKeyStore {
  /** This and `changeChannel` throw DomainError `ingest-login-taken` where the login's id is another channel's. */
  createChannel(channel: NewChannel): Promise<Channel>;
  /** Newest first; `total` counts all pages. */
  listChannels(
    filter: ChannelFilter,
    page: Page,
  ): Promise<{ readonly channels: readonly ChannelRecord[]; readonly total: number }>;
  /** All that a list would hold, newest first. */
  listChannelIds(): Promise<readonly ChannelId[]>;
  findChannel(channelId: ChannelId): Promise<Channel | undefined>;
  /** The live channel whose main or backup key this is. */
  findChannelByStreamKey(streamKey: string): Promise<Channel | undefined>;
  /** The live channel whose encoders log in with this name, and their password. */
  findIngestUser(userId: string): Promise<IngestUser | undefined>;
  /** The channel as it was left, now deleted; undefined where there was none. */
  deleteChannel(channelId: ChannelId): Promise<Channel | undefined>;
  /** The channel after the change, with its new revision if something changed; undefined where there is none. */
  changeChannel(channelId: ChannelId, decide: ChannelDecision): Promise<Channel | undefined>;
  /** The channel with its new target, which is the last one; undefined where there is no channel. */
  addTarget(channelId: ChannelId, target: TargetSettings, check: ChannelCheck): Promise<Channel | undefined>;
  /** The channel without the target, and the target as it was; undefined where the channel had no such target. */
  removeTarget(channelId: ChannelId, targetId: TargetId): Promise<RemovedTarget | undefined>;
  /** The channel after the change, with its new revision if something changed; undefined where it has no such target. */
  changeTarget(channelId: ChannelId, targetId: TargetId, decide: TargetDecision): Promise<Channel | undefined>;
  /** All of the batch or nothing. Channels and targets that are gone are skipped. */
  addTotals(batch: TotalsBatch): Promise<void>;
  /** Idempotent. */
  close(): Promise<void>;
}
