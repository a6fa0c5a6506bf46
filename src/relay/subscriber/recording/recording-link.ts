import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { RecordingEnd, RecordingProblem } from "../../../thread-protocol/recordings/recordings.ts";

/** What a recording is told by the other side. */
export interface RecordingListener {
  /** This many more bytes are on the disk, or were dropped. */
  taken(bytes: number): void;
  /** The recorder ended it. */
  ended(problem: RecordingProblem): void;
}

/** One recording that the recorder takes. */
export interface RecordingSink {
  /** Sent and not on the disk yet, in bytes: above this the disk is too slow. Less where it is for many recordings. */
  readonly waitingBytesMax: number;
  /** FLV tags, in order; a buffer of their own, which is given away. */
  take(bytes: Uint8Array<ArrayBuffer>): void;
  /** Nothing more comes. */
  end(reason: RecordingEnd): void;
}

/** The way to the recorder. */
export interface RecordingLink {
  /**
   * Asks for the recorder where it does not run. It is there when `open` returns a sink. Returns why it will not come; undefined
   * where it may.
   */
  want(): RecordingProblem | undefined;
  /**
   * Begins a recording; undefined where the recorder does not run, or has not taken what it was sent before: memory is
   * bounded, however long the disk hangs. `startTime`: milliseconds since the Unix epoch.
   */
  open(channelId: ChannelId, startTime: number, listener: RecordingListener): RecordingSink | undefined;
}

/** For channels that nothing records. */
export const NO_RECORDER: RecordingLink = { want: () => undefined, open: () => undefined };
