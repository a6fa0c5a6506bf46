import type {
  BufferPolicy,
  ChannelId,
  ChannelSpec,
  IngestSlot,
  Latency,
  SilentAudio,
  TargetId,
  TargetSpec,
  TargetTrust,
  TrackChoice,
} from "../../thread-protocol/channel-spec.ts";
import type { FreezeTimes } from "../../thread-protocol/freeze-times.ts";
import { limitsOf } from "../presets/target-presets.ts";
import { isPresetHost } from "./known-hosts.ts";
import type { PlanType } from "./plan.ts";
import { isOn, type TargetWindows } from "./target-windows.ts";

/** A label on a channel; nothing depends on it. */
export type EnvType = "REAL" | "DEV" | "STAGE";

/** What a target did over all broadcasts and restarts. */
export type TargetTotals = {
  readonly bytes: number;
  /** Milliseconds spent PUBLISHING. */
  readonly playMs: number;
  /** Reconnection attempts. */
  readonly retryCount: number;
};

/** The settings of a target. Holds secrets: never log it. */
export type TargetSettings = {
  /** The platform, one of the API's `targetName`s. */
  readonly targetName: string;
  readonly url: string;
  readonly streamKey: string;
  /** RTMP authentication, where the platform requires it. */
  readonly loginId?: string;
  readonly loginPassword?: string;
  readonly label?: string;
  readonly isEnabled: boolean;
  readonly bufferPolicy: BufferPolicy;
  /** Absent: the usual verification. */
  readonly tls?: TargetTrust;
  /** Absent: all tracks. */
  readonly tracks?: TrackChoice;
  /** False: captions, cue points and other timed data are left out. Absent: they are sent. */
  readonly hasTimedData?: boolean;
  /** Absent: `auto`. */
  readonly silentAudio?: SilentAudio;
  /** Absent: no delay. */
  readonly delaySeconds?: number;
  /** When it is on. Absent: always. */
  readonly windows?: TargetWindows;
  /** Its windows turn it off now. Absent: they do not. */
  readonly isOutsideWindows?: boolean;
  /** A person turned it on outside of its windows: it stays on until then. Milliseconds since the Unix epoch. */
  readonly openUntil?: number;
};

/** The names of a target: its platform's name, and a person's label for it. */
export type TargetName = Pick<TargetSettings, "targetName" | "label">;

export function targetNameOf({ targetName, label }: TargetName): TargetName {
  return { targetName, ...(label === undefined ? {} : { label }) };
}

/** One target as stored. */
export type Target = TargetSettings & { readonly targetId: TargetId; readonly totals: TargetTotals };

/** Which events a channel's webhook gets, beside changes of its settings. */
export type Alerts = {
  readonly isOn: boolean;
  readonly ofChannelStatus: boolean;
  /** Failures of recordings. */
  readonly ofVodUploads: boolean;
  readonly ofTargetFailures: boolean;
};

/** Alerts are off by default. A request that switches them on without a list gets all of them. */
export const NO_ALERTS: Alerts = { isOn: false, ofChannelStatus: true, ofVodUploads: true, ofTargetFailures: true };

/** The settings of a channel. */
export type ChannelSettings = {
  readonly name: string;
  readonly planType: PlanType;
  readonly envType: EnvType;
  /** Words that a person groups channels by. Trimmed, none twice. Absent: none. */
  readonly labels?: readonly string[];
  readonly alerts: Alerts;
  /** How long targets are held when the encoder is lost, in seconds; 0 ends the broadcast at once. */
  readonly holdSeconds: number;
  /** When packets are sent: gathered, or with each read. */
  readonly latency: Latency;
  /** After how long without media, and without video, the encoder counts as frozen. */
  readonly freeze: FreezeTimes;
  /** Whether its broadcasts are recorded. Absent: no. */
  readonly isRecorded?: boolean;
  /** The login that encoders need beside the key; absent: none. Secret. */
  readonly ingestLogin?: IngestLogin;
  /** What encoders over SRT encrypt with; absent: the server's, if it has one. Secret. */
  readonly srtPassphrase?: string;
};

/** A user name that no other channel uses, and a password. */
export type IngestLogin = { readonly id: string; readonly password: string };

/**
 * `live`: encoders may publish. `blocked`: refuses encoders until a person unblocks it. `deleted`: kept, but never
 * found.
 */
export const CHANNEL_STATES = ["live", "blocked", "deleted"] as const;
export type ChannelState = (typeof CHANNEL_STATES)[number];

/** One channel as stored, without its targets. Times are milliseconds since the Unix epoch. */
export type ChannelRecord = ChannelSettings & {
  readonly channelId: ChannelId;
  /** Unique within the installation; counts up. */
  readonly instanceNo: number;
  readonly state: ChannelState;
  /** The key with which an encoder publishes. Secret. */
  readonly streamKey: string;
  /** The key of a second encoder that may stand by; absent while the channel has no backup ingest. Secret. */
  readonly backupStreamKey?: string;
  readonly createdTime: number;
  /** Rises with every stored change. */
  readonly revision: number;
  /** Milliseconds on air over all broadcasts. */
  readonly publishMs: number;
  /** When the last broadcast began; absent before the first. */
  readonly recentPublishStartTime?: number;
  /** The URL of the channel's own webhook; absent: the default webhook, if there is one. */
  readonly callbackUrl?: string;
  readonly targetCount: number;
};

/** One channel as stored. Targets are in the order of their ids. */
export type Channel = ChannelRecord & { readonly targets: readonly Target[] };

/** How long targets are held when the encoder is lost, in seconds: longer than a router takes to restart. */
export const HOLD_SECONDS_DEFAULT = 120;

/** The channel's spec for the media thread. */
export function channelSpec(channel: Channel): ChannelSpec {
  return {
    channelId: channel.channelId,
    revision: channel.revision,
    holdSeconds: channel.holdSeconds,
    latency: channel.latency,
    freeze: channel.freeze,
    ...(channel.isRecorded === true ? { isRecorded: true } : {}),
    targets: channel.targets.map(targetSpec),
  };
}

/** The target's spec for the media thread. */
export function targetSpec(target: Target): TargetSpec {
  const { targetId, url, streamKey, bufferPolicy, tls, tracks, loginId, loginPassword = "" } = target;
  const { hasTimedData, delaySeconds } = target;
  const credentials = loginId === undefined ? {} : { credentials: { id: loginId, password: loginPassword } };
  const { videoCodecs: video, audioCodecs: audio, tracksNeeded = [] } = limitsOf(target.targetName);
  const { silentAudio = "auto" } = target;
  const addsSilence = silentAudio === "always" || (silentAudio === "auto" && tracksNeeded.includes("audio"));
  const codecs = { ...(video === undefined ? {} : { video }), ...(audio === undefined ? {} : { audio }) };
  return {
    targetId,
    url,
    ...(isPresetHost(url) ? { isPresetHost: true } : {}),
    streamKey,
    ...credentials,
    isEnabled: isOn(target),
    bufferPolicy,
    codecs,
    ...(tracks === undefined ? {} : { tracks }),
    ...(hasTimedData === undefined ? {} : { hasTimedData }),
    ...(addsSilence ? { addsSilence } : {}),
    ...(delaySeconds === undefined ? {} : { delaySeconds }),
    ...(tls === undefined ? {} : { tls }),
  };
}

/** Which of the channel's keys this is; undefined where it is neither. */
export function slotOf(channel: ChannelRecord, streamKey: string): IngestSlot | undefined {
  if (streamKey === channel.streamKey) return "main";
  return streamKey === channel.backupStreamKey ? "backup" : undefined;
}
