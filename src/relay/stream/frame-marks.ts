import { lookAtFrame, Seen } from "../../protocol/flv/video/coded-frame.ts";
import type { VideoTag } from "../../protocol/flv/video/video-tag.ts";

const NAL_LENGTH_BYTES_USUAL = 4;
/**
 * Offset of the byte whose low two bits hold the NAL length size less 1, in H.264's and HEVC's configuration records.
 */
const LENGTH_SIZE_AT = { avc: 4, hevc: 21 } as const;

/** The role of one video message within its frame, as bits. */
export const Mark = {
  /** A stream can begin here: the first message of a frame that refers to no frame before it. */
  Start: 1,
  /** It continues the frame that the message before it began. */
  Further: 2,
  /** Its slices are those of a keyframe, but its flags say otherwise. */
  FlagWrong: 4,
} as const;

/**
 * Finds which messages of a track belong to one frame: some encoders send each slice, or each NAL unit, in a message of
 * its own. It also reads the slices, since flags can be wrong: keyframes marked as inter frames, or all inter frames
 * marked as keyframes.
 */
export class FrameMarks {
  #nalLengthSize = NAL_LENGTH_BYTES_USUAL;
  #timestamp: number | undefined;
  #hasSlice = false;
  #hasStarted = false;
  /** Whether the frame before was marked as a keyframe. */
  #wasFlagged = false;
  /** Successive inter frames are all marked as keyframes: only slices are trusted. */
  #doFlagsLie = false;

  /** Takes a sequence header. */
  configure(codec: VideoTag["codec"], record: Buffer): void {
    if (codec !== "avc" && codec !== "hevc") return;
    this.#nalLengthSize = ((record[LENGTH_SIZE_AT[codec]] ?? 3) & 3) + 1;
    this.#doFlagsLie = false;
  }

  /** Returns the `Mark`s of a frame's message. */
  take(tag: VideoTag, payload: Buffer, timestamp: number): number {
    const { codec, bodyOffset, bodyEnd, isKeyframe: isFlagged } = tag;
    const seen = lookAtFrame(codec, payload, bodyOffset, bodyEnd, this.#nalLengthSize);
    const isFurther = timestamp === this.#timestamp && !this.#beginsAnew(codec, seen);
    if (!isFurther) {
      if ((seen & Seen.Inter) !== 0 && codec === "avc" && isFlagged && this.#wasFlagged) this.#doFlagsLie = true;
      this.#wasFlagged = isFlagged;
      this.#timestamp = timestamp;
      this.#hasSlice = false;
      this.#hasStarted = false;
    }
    const isRandomAccess = (seen & Seen.RandomAccess) !== 0;
    const isKey = isRandomAccess || (isFlagged && !this.#doFlagsLie);
    const isStart = isKey && !this.#hasStarted && !this.#hasSlice;
    if ((seen & Seen.Slice) !== 0) this.#hasSlice = true;
    if (isStart) this.#hasStarted = true;
    return (
      (isStart ? Mark.Start : 0) | (isFurther ? Mark.Further : 0) | (isRandomAccess && !isFlagged ? Mark.FlagWrong : 0)
    );
  }

  /** Whether a message begins a frame although it has the time of the message before: clocks may stand still. */
  #beginsAnew(codec: VideoTag["codec"], seen: number): boolean {
    if (codec !== "avc" && codec !== "hevc") return true;
    return this.#hasSlice && (seen & Seen.First) !== 0;
  }
}
