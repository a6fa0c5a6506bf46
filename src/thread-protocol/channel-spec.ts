import type { FreezeTimes } from "./freeze-times.ts";

/** A channel's public id, `ls-20260102030405-aB3dE`. */
export type ChannelId = string;

/** Which of a channel's two keys an encoder showed. */
export type IngestSlot = "main" | "backup";

/** One target of one channel; the API's `platId`. Unique over the installation. */
export type TargetId = number;

/** What a slow target loses: frames, or its connection, which then begins again. */
export const BUFFER_POLICIES = ["drop", "disconnect"] as const;
export type BufferPolicy = (typeof BUFFER_POLICIES)[number];

/** How a target over TLS is verified. Absent fields: by this machine's authorities. */
export type TargetTrust = {
  /** Authorities beside the usual ones, as PEM. */
  readonly ca?: string;
  /**
   * SHA-256 of the one certificate that is accepted, as 64 small hexadecimal digits, whatever signed it and whatever it
   * is for.
   */
  readonly fingerprint?: string;
};

/** When packets leave: collected for 50 ms, which costs least, or with each read. */
export const LATENCIES = ["efficient", "low"] as const;
export type Latency = (typeof LATENCIES)[number];

/** Track ids, 0 being the default track. */
export type TrackChoice = { readonly video: number; readonly audio: number };

/** Where one target is and whether it is on. Holds secrets: never log it. */
export type TargetSpec = {
  /** One video and one audio track, in the form of old where it has one; absent: all tracks, as they come. */
  readonly tracks?: TrackChoice;
  /** False: captions, cue points and the like are left out. */
  readonly hasTimedData?: boolean;
  /** What the target takes, in the words of `ingest.videoCodec` and `audioCodec`; absent: whatever comes. */
  readonly codecs?: { readonly video?: readonly string[]; readonly audio?: readonly string[] };
  readonly targetId: TargetId;
  /** `rtmp://` or `rtmps://` address of the server and application, without the stream key. */
  readonly url: string;
  /** Sent byte for byte as the stream name. */
  readonly streamKey: string;
  /** The login for a target that asks for one; absent: none. */
  readonly credentials?: { readonly id: string; readonly password: string };
  /** False: the target stays READY whatever the ingest does. */
  readonly isEnabled: boolean;
  /** Absent: `drop`. */
  readonly bufferPolicy?: BufferPolicy;
  /** Absent: nothing is said of it. */
  readonly tls?: TargetTrust;
};

/**
 * The settings of one channel that concern the media thread: complete, never a difference. A spec with a revision not above the one
 * last applied is ignored, so a late message cannot undo a newer one.
 */
export type ChannelSpec = {
  readonly channelId: ChannelId;
  readonly revision: number;
  /** How long targets are held when the encoder is lost, in seconds; 0 ends the broadcast at once. */
  readonly holdSeconds: number;
  /** Absent: `efficient`. */
  readonly latency?: Latency;
  /** Absent: the usual ones. */
  readonly freeze?: FreezeTimes;
  readonly targets: readonly TargetSpec[];
};
