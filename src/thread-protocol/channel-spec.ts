import type { FreezeTimes } from "./freeze-times.ts";

/** A channel's public id, `ls-20260102030405-aB3dE`. */
export type ChannelId = string;

/** Which of a channel's two keys an encoder came with. */
export type IngestSlot = "main" | "backup";

/** What plays into a channel in place of an encoder: files of this server, or a stream that it fetches. */
export const SOURCE_KINDS = ["files", "pull"] as const;
export type SourceKind = (typeof SOURCE_KINDS)[number];

/** One target of one channel; the API's `platId`. Unique within the installation. */
export type TargetId = number;

/** What a slow target loses: frames, or its connection, which is then made anew. */
export const BUFFER_POLICIES = ["drop", "disconnect"] as const;
export type BufferPolicy = (typeof BUFFER_POLICIES)[number];

/** How the certificate of a target over TLS is verified. Absent fields: against this machine's authorities. */
export type TargetTrust = {
  /** Authorities trusted in addition, as PEM. */
  readonly ca?: string;
  /**
   * SHA-256 of the only accepted certificate, as 64 lower-case hexadecimal digits. Its signer and its purpose are not
   * checked then.
   */
  readonly fingerprint?: string;
};

/** When packets are sent: gathered for 50 ms, which costs least CPU time, or with each read. */
export const LATENCIES = ["efficient", "low"] as const;
export type Latency = (typeof LATENCIES)[number];

/**
 * Whether a stream without audio gets silence for a target. `auto`: where its platform needs audio; `always`: also
 * elsewhere.
 */
export const SILENT_AUDIO = ["auto", "always", "never"] as const;
export type SilentAudio = (typeof SILENT_AUDIO)[number];

/** Track ids; 0 is the default track. */
export type TrackChoice = { readonly video: number; readonly audio: number };

/** The address and settings of one target. Holds secrets: never log it. */
export type TargetSpec = {
  /**
   * One video and one audio track, sent in RTMP's original form where the codec has one; absent: all tracks, unchanged.
   */
  readonly tracks?: TrackChoice;
  /** False: captions, cue points and other timed data are left out. */
  readonly hasTimedData?: boolean;
  /** True: it gets silence where the stream has no audio. */
  readonly addsSilence?: boolean;
  /** How much later than the stream it gets it, in whole seconds; absent: not at all. */
  readonly delaySeconds?: number;
  /** Codecs that the target accepts, in the words of `ingest.videoCodec` and `audioCodec`; absent: all. */
  readonly codecs?: { readonly video?: readonly string[]; readonly audio?: readonly string[] };
  readonly targetId: TargetId;
  /** `rtmp://` or `rtmps://` address of the server and application, without the stream key. */
  readonly url: string;
  /** The URL's host is one of a preset, so its name has no typing error. Absent: false. */
  readonly isPresetHost?: boolean;
  /** Sent byte for byte as the stream name. */
  readonly streamKey: string;
  /** The login for a target that asks for one; absent: none. */
  readonly credentials?: { readonly id: string; readonly password: string };
  /** False: the target stays READY even while the channel is on air. */
  readonly isEnabled: boolean;
  /** Counts in place of `isEnabled`: its windows say so, and the database does not know it yet. */
  readonly isSwitchedOn?: boolean;
  /** Absent: `drop`. */
  readonly bufferPolicy?: BufferPolicy;
  /** Absent: the usual verification. */
  readonly tls?: TargetTrust;
};

/**
 * The settings of one channel that concern the media thread: always complete, never a difference. The thread ignores a
 * spec whose revision is not above the last applied one, so a late message cannot undo a newer one.
 */
export type ChannelSpec = {
  readonly channelId: ChannelId;
  readonly revision: number;
  /** How long targets are held when the encoder is lost, in seconds; 0 ends the broadcast at once. */
  readonly holdSeconds: number;
  /** Absent: `efficient`. */
  readonly latency?: Latency;
  /** Absent: the default times. */
  readonly freeze?: FreezeTimes;
  /** Whether its broadcasts are recorded. Absent: no. */
  readonly isRecorded?: boolean;
  readonly targets: readonly TargetSpec[];
};
