import type { Removal } from "../base/pasted-text.ts";
import type { ChannelId, IngestSlot, SourceKind, TargetId } from "./channel-spec.ts";
import type { DelaySample } from "./delays/delay.ts";

/** Frames that a slow target lost, by cause. */
export type DroppedFrames = {
  /** Its queue held too much media time. */
  readonly overTime: number;
  /** Its queue held too many bytes. */
  readonly overBytes: number;
  /** Frames that came after such a loss, before the next keyframe. */
  readonly untilKeyframe: number;
};

/** One target's counters since its channel came to the media thread: the control thread adds what was before. */
export type TargetSample = {
  readonly targetId: TargetId;
  /** Bytes that the kernel took in the last whole second. */
  readonly bytesPerSecond: number;
  /** Bytes that the kernel took in total. */
  readonly bytesTotal: number;
  /** Milliseconds spent PUBLISHING. */
  readonly playMs: number;
  /** Reconnection attempts. */
  readonly retryCount: number;
  /** Frames that this target lost because its queue was full, in total. */
  readonly droppedFrames: number;
  readonly drops: DroppedFrames;
  /**
   * Media time that this target has not got yet, in milliseconds: in our queue, and in the kernel's queue where that
   * can be read.
   */
  readonly queueMs: number;
  /**
   * Bytes sent that the target has not acknowledged: by TCP, or by RTMP where TCP's number is not known; absent where
   * neither is.
   */
  readonly unackedBytes?: number;
  /** Bytes of the present connection that the target has acknowledged: by RTMP if it does so, else by TCP. */
  readonly ackedBytes?: number;
  /** It gets silence, since the stream has no audio; absent otherwise. */
  readonly hasSilence?: boolean;
  /** What waits of its stream; absent where it gets the stream without a delay. */
  readonly delay?: DelaySample;
  /** It failed three times in ten minutes while PUBLISHING. */
  readonly isUnstable: boolean;
};

/**
 * Measures of the default tracks, which the ingest check compares with what targets accept. Absent fields are not known
 * yet.
 */
export type StreamMeasures = {
  /** Means of the last ten seconds. */
  readonly videoBytesPerSecond?: number;
  readonly audioBytesPerSecond?: number;
  /** The longest time between two keyframes in the last 15 to 30 seconds, or since the last one. */
  readonly longestKeyframeSeconds?: number;
  /** How long video has come without a keyframe; absent where that is normal for this stream. */
  readonly secondsWithoutKeyframe?: number;
  /** Whether a keyframe ever came. */
  readonly hasKeyframe?: boolean;
  /** Kinds whose frames come without the sequence header that their codec needs. */
  readonly lackHeader?: readonly ("audio" | "video")[];
  /** Kinds whose messages come, but none that the relay understands or can send on. */
  readonly unreadable?: readonly ("audio" | "video")[];
  /** How long the audio has been digital silence; absent where that is under 20 s, and for codecs other than AAC. */
  readonly secondsSilent?: number;
  /** The most B-frames in a row in the last 15 to 30 seconds. */
  readonly bFrames?: number;
  /**
   * How much the encoder's clock is fast against ours over the last two to ten minutes, in millionths; negative: slow.
   */
  readonly clockDriftPpm?: number;
  /** Its timestamps are not milliseconds of real time: the relay times its stream by arrival. */
  readonly isClockWrong?: boolean;
};

/** What is known of one encoder's SRT connection. Sent once a second while it publishes. Counts are since its start. */
export type SrtLinkSample = {
  readonly channelId: ChannelId;
  readonly slot: IngestSlot;
  /** Absent before the first measurement. */
  readonly rttMs?: number;
  /** How long we wait for a lost packet. */
  readonly latencyMs: number;
  readonly isEncrypted: boolean;
  /** Data packets that came, repetitions included. */
  readonly packets: number;
  /** Bytes that came in the last whole second, headers included. */
  readonly bytesPerSecond: number;
  /** Packets that were missing at first. */
  readonly lost: number;
  /** Packets that came again because we asked for them. */
  readonly retransmitted: number;
  /** Packets that never came in time: the stream has gaps. */
  readonly dropped: number;
  /** Of those, packets that came too late. */
  readonly belated: number;
  /** Packets that could not be decrypted. */
  readonly undecrypted: number;
  /** Of the packets of the last ten seconds, the share that was missing at first, in per cent. */
  readonly lossPercent: number;
  /** Packets of the last ten seconds that never came in time. */
  readonly droppedLately: number;
};

/**
 * Why a slate cannot stand for a stream: `tracks`: the stream has no default track of a kind. `form`: its codec, size or
 * audio format is another.
 */
export type SlateMisfit = "tracks" | "form";

/** The encoder that is on air, or was last on air. Absent fields are not known, or do not exist. */
export type IngestSample = {
  /** `LIVE`: media flows. `HELD`: the encoder is lost, targets are held. `ENDED`: the broadcast is over. */
  readonly state: "LIVE" | "HELD" | "ENDED";
  readonly slot: IngestSlot;
  readonly remoteAddress: string;
  readonly encoder: string;
  /** When this encoder began to publish, milliseconds since the Unix epoch. */
  readonly startTime: number;
  /** Of a test pattern: when it ends by itself, milliseconds since the Unix epoch. Absent for encoders. */
  readonly testPatternEndTime?: number;
  /** Of a test pattern for chosen targets: those. */
  readonly onlyTargetIds?: readonly TargetId[];
  /** Of a source that this server plays. Absent for encoders. */
  readonly sourceKind?: SourceKind;
  readonly videoCodec?: string;
  readonly width?: number;
  readonly height?: number;
  /** Chroma and bit depth, as FFmpeg names them; absent: 8 bits and 4:2:0, or not known. */
  readonly pixelFormat?: string;
  /** Frames a second, over the last seconds. */
  readonly frameRate?: number;
  /** Between the last two keyframes, in seconds. */
  readonly keyframeIntervalSeconds?: number;
  readonly audioCodec?: string;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly bytesPerSecond: number;
  readonly bytesTotal: number;
  /** What was removed from around the key; absent where nothing was. */
  readonly keyRemoved?: readonly Removal[];
  /** Seconds since the last frame, where video is missing while audio goes on. */
  readonly secondsWithoutVideo?: number;
  /**
   * Messages of timed data that were not sent on because they were too many or too long, in total; absent where there
   * were none.
   */
  readonly droppedData?: number;
  /** The slate stands in front of the encoder because a person closed the curtain. Absent: no. */
  readonly isCurtainClosed?: true;
  /** Viewers see the slate. Absent: no. */
  readonly isSlateShown?: true;
  /** Why the channel's slate cannot stand for this stream as it is now. Absent: it can, or there is none. */
  readonly slateMisfit?: SlateMisfit;
  /** How the standby differs from what is on air, in words; absent where it does not. */
  readonly standbyDiffers?: string;
  /** Its connection, where it speaks SRT. */
  readonly srt?: SrtLinkSample;
  /** Absent before the first sample. */
  readonly measures?: StreamMeasures;
};

/** One channel's counters. Sent once a second while it is on air, and once more after that. */
export type ChannelSample = {
  readonly channelId: ChannelId;
  readonly ingest: IngestSample;
  readonly targets: readonly TargetSample[];
};
