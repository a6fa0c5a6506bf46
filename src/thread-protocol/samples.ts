import type { Removal } from "../base/pasted-text.ts";
import type { ChannelId, IngestSlot, TargetId } from "./channel-spec.ts";

/** Frames a slow target lost, by what made it lose them. */
export type DroppedFrames = {
  /** Its queue held too much media time. */
  readonly overTime: number;
  /** Its queue held too many bytes. */
  readonly overBytes: number;
  /** Frames that came after such a loss, before the next keyframe. */
  readonly untilKeyframe: number;
};

/** One target's counters, all since its channel came to the media thread: the control side keeps what was before. */
export type TargetSample = {
  readonly targetId: TargetId;
  /** Bytes the kernel took in the last whole second. */
  readonly bytesPerSecond: number;
  /** Bytes the kernel took in all. */
  readonly bytesTotal: number;
  /** Milliseconds spent PUBLISHING. */
  readonly playMs: number;
  /** Reconnection attempts. */
  readonly retryCount: number;
  /** Frames that a full queue made this target lose, in all. */
  readonly droppedFrames: number;
  readonly drops: DroppedFrames;
  /** Media time that this target has not got, in milliseconds: in our queue, and in the kernel's where that can be read. */
  readonly queueMs: number;
  /** Bytes sent that the target has not acknowledged: its TCP, or in RTMP where that is not known; absent where neither is. */
  readonly unackedBytes?: number;
  /** Bytes of the present connection that the target acknowledged, in RTMP if it does so, else its TCP. */
  readonly ackedBytes?: number;
  /** It fell from PUBLISHING three times in ten minutes. */
  readonly isUnstable: boolean;
};

/** What the ingest check compares with what targets take, of the default tracks. Absent fields are not known yet. */
export type StreamMeasures = {
  /** Means of the last ten seconds. */
  readonly videoBytesPerSecond?: number;
  readonly audioBytesPerSecond?: number;
  /** The longest way between two keyframes of the last 15 to 30 seconds, or since the last one. */
  readonly longestKeyframeSeconds?: number;
  /** How long video has come without a keyframe; absent where that is no more than usual. */
  readonly secondsWithoutKeyframe?: number;
  /** Whether there was ever one. */
  readonly hasKeyframe?: boolean;
  /** Kinds whose frames come without the sequence header that their codec needs. */
  readonly lackHeader?: readonly ("audio" | "video")[];
  /** Kinds of which messages come and nothing that could be understood, or sent on. */
  readonly unreadable?: readonly ("audio" | "video")[];
  /** B-frames in a row, at most, of the last 15 to 30 seconds. */
  readonly bFrames?: number;
  /** Millionths that the encoder's clock is fast against ours, negative: slow; of the last two to ten minutes. */
  readonly clockDriftPpm?: number;
  /** Its timestamps are no milliseconds of real time: its stream is timed by when it comes. */
  readonly isClockWrong?: boolean;
};

/** The encoder on air, or last on air, of one channel. Absent fields are not known, or not there. */
export type IngestSample = {
  /** `LIVE`: media flows. `HELD`: the encoder is lost, targets are held. `ENDED`: the broadcast is over. */
  readonly state: "LIVE" | "HELD" | "ENDED";
  readonly slot: IngestSlot;
  readonly remoteAddress: string;
  readonly encoder: string;
  /** When this encoder began to publish, milliseconds since the Unix epoch. */
  readonly startTime: number;
  readonly videoCodec?: string;
  readonly width?: number;
  readonly height?: number;
  /** Frames a second, over the last seconds. */
  readonly frameRate?: number;
  /** Between the last two keyframes. */
  readonly keyframeIntervalSeconds?: number;
  readonly audioCodec?: string;
  readonly sampleRate?: number;
  readonly channels?: number;
  readonly bytesPerSecond: number;
  readonly bytesTotal: number;
  /** What came along with its key, and was taken off; absent where nothing was. */
  readonly keyRemoved?: readonly Removal[];
  /** Since the last frame, where video is missing while audio goes on. */
  readonly secondsWithoutVideo?: number;
  /** Messages of timed data that were too many, or too long, to be sent on, in all; absent where there were none. */
  readonly droppedData?: number;
  /** A standby that differs from what is on air, in words; absent where there is none. */
  readonly standbyDiffers?: string;
  /** Absent before the first sample. */
  readonly measures?: StreamMeasures;
};

/** One channel's counters. Sent once a second while it is on air, and once more when it no longer is. */
export type ChannelSample = {
  readonly channelId: ChannelId;
  readonly ingest: IngestSample;
  readonly targets: readonly TargetSample[];
};
