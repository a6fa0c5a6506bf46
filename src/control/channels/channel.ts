import type {
  BufferPolicy,
  ChannelId,
  ChannelSpec,
  IngestSlot,
  Latency,
  TargetId,
  TargetSpec,
  TargetTrust,
  TrackChoice,
} from "../../thread-protocol/channel-spec.ts";
import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { limitsOf } from "../presets/target-presets.ts";
import type { PlanType } from "./plan.ts";

/** A label on a channel; nothing depends on it. */
export type EnvType = "REAL" | "DEV" | "STAGE";

/** What a target has done over all broadcasts and restarts. */
export type TargetTotals = {
  readonly bytes: number;
  /** Milliseconds spent PUBLISHING. */
  readonly playMs: number;
  /** Reconnection attempts. */
  readonly retryCount: number;
};

/** What a person says about a target. Holds secrets: never log it. */
export type TargetSettings = {
  /** Which platform it is, one of the API's `targetName`s. */
  readonly targetName: string;
  readonly url: string;
  readonly streamKey: string;
  /** RTMP authentication, where the platform wants it. */
  readonly loginId?: string;
  readonly loginPassword?: string;
  readonly label?: string;
  readonly isEnabled: boolean;
  readonly bufferPolicy: BufferPolicy;
  /** Absent: nothing is said of it. */
  readonly tls?: TargetTrust;
  /** Absent: all tracks. */
  readonly tracks?: TrackChoice;
  /** False: captions, cue points and the like are left out. Absent: they are not. */
  readonly hasTimedData?: boolean;
};

/** What a target is called: its platform's name, and a person's own for it. */
export type TargetName = Pick<TargetSettings, "targetName" | "label">;

export function targetNameOf({ targetName, label }: TargetName): TargetName {
  return { targetName, ...(label === undefined ? {} : { label }) };
}

/** One target as stored. */
export type Target = TargetSettings & { readonly targetId: TargetId; readonly totals: TargetTotals };

/** What a channel's webhook is to hear of, beside the changes of its settings. */
export type Alerts = {
  readonly isOn: boolean;
  readonly ofChannelStatus: boolean;
  /** Kept and answered; nothing here uploads recordings. */
  readonly ofVodUploads: boolean;
  readonly ofTargetFailures: boolean;
};

/** Alerts are off by default. A request that switches them on without a list gets all of them. */
export const NO_ALERTS: Alerts = { isOn: false, ofChannelStatus: true, ofVodUploads: true, ofTargetFailures: true };

/** What a person says about a channel. */
export type ChannelSettings = {
  readonly name: string;
  readonly planType: PlanType;
  readonly envType: EnvType;
  /** Words that a person groups channels by. Trimmed, none twice. Absent: none. */
  readonly labels?: readonly string[];
  readonly alerts: Alerts;
  /** How long targets are held when the encoder is lost; 0 ends the broadcast at once. */
  readonly holdSeconds: number;
  /** When its packets leave: gathered, or with each read. */
  readonly latency: Latency;
  /** After how long without media, and without video, its encoder counts as frozen. */
  readonly freeze: FreezeTimes;
  /** What encoders have to log in with beside the key; absent: they need not. Secret. */
  readonly ingestLogin?: IngestLogin;
};

/** A user name, of no other channel, and a password. */
export type IngestLogin = { readonly id: string; readonly password: string };

/** `live`: may be published to. `blocked`: refuses encoders until a person unblocks it. `deleted`: kept, but never found. */
export const CHANNEL_STATES = ["live", "blocked", "deleted"] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** One channel as stored, without its targets. Times are milliseconds since the Unix epoch. */
export type ChannelRecord = ChannelSettings & {
  readonly channelId: ChannelId;
  /** Unique over the installation, counts up. */
  readonly instanceNo: number;
  readonly state: ChannelState;
  /** What the encoder shows to publish. Secret. */
  readonly streamKey: string;
  /** The same of a second encoder that may stand by; absent while the channel has no backup ingest. Secret. */
  readonly backupStreamKey?: string;
  readonly createdTime: number;
  /** Rises with every stored change. */
  readonly revision: number;
  /** Milliseconds on air over all broadcasts. */
  readonly publishMs: number;
  /** When the last broadcast began; absent before the first. */
  readonly recentPublishStartTime?: number;
  /** Where its own webhook goes; absent: to the default one, if there is one. */
  readonly callbackUrl?: string;
  readonly targetCount: number;
};

/** One channel as stored. Targets are in the order of their ids. */
export type Channel = ChannelRecord & { readonly targets: readonly Target[] };

/** How long targets are held when the encoder is lost: longer than a router takes to start again. */
export const HOLD_SECONDS_DEFAULT = 120;

/** What the media thread is told of a channel. */
export function channelSpec(channel: Channel): ChannelSpec {
  return {
    channelId: channel.channelId,
    revision: channel.revision,
    holdSeconds: channel.holdSeconds,
    latency: channel.latency,
    freeze: channel.freeze,
    targets: channel.targets.map(targetSpec),
  };
}

/** What the media thread is told of one target. */
export function targetSpec(target: Target): TargetSpec {
  const { targetId, url, streamKey, isEnabled, bufferPolicy, tls, tracks, loginId, loginPassword = "" } = target;
  const { hasTimedData } = target;
  const credentials = loginId === undefined ? {} : { credentials: { id: loginId, password: loginPassword } };
  const { videoCodecs: video, audioCodecs: audio } = limitsOf(target.targetName);
  const codecs = { ...(video === undefined ? {} : { video }), ...(audio === undefined ? {} : { audio }) };
  return {
    targetId,
    url,
    streamKey,
    ...credentials,
    isEnabled,
    bufferPolicy,
    codecs,
    ...(tracks === undefined ? {} : { tracks }),
    ...(hasTimedData === undefined ? {} : { hasTimedData }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Which of the channel's keys this is; undefined where it is none. */
export function slotOf(channel: ChannelRecord, streamKey: string): IngestSlot | undefined {
  if (streamKey === channel.streamKey) return "main";
  return streamKey === channel.backupStreamKey ? "backup" : undefined;
}
