import { lookAtPicture, Seen } from "../../protocol/flv/video/coded-picture.ts";
import type { VideoTag } from "../../protocol/flv/video/video-tag.ts";

const NAL_LENGTH_BYTES_USUAL = 4;
/** Where H.264's and HEVC's configuration records have the size of the lengths, in two bits. */
const LENGTH_SIZE_AT = { avc: 4, hevc: 21 } as const;

/** What one video message is to its picture, as bits. */
export const Mark = {
  /** A stream can begin here: the first message of a picture that needs nothing before it. */
  Start: 1,
  /** It goes on with the picture that the message before it began. */
  Further: 2,
  /** Its slices are a keyframe's, and its flags say otherwise. */
  FlagWrong: 4,
} as const;

/**
 * Puts a track's messages together to pictures: some encoders send each slice, or each NAL unit, in a message of its own. And
 * looks at the slices, since flags lie: keyframes that are marked as inter frames, inter frames that are all marked as keyframes.
 */
export class FrameMarks {
  #nalLengthSize = NAL_LENGTH_BYTES_USUAL;
  #timestamp: number | undefined;
  #hasSlice = false;
  #hasStarted = false;
  /** The picture before was marked as a keyframe. */
  #wasFlagged = false;
  /** Inter frames follow one another that are all marked as keyframes: slices alone are believed. */
  #doFlagsLie = false;

  /** A sequence header. */
  configure(codec: VideoTag["codec"], record: Buffer): void {
    if (codec !== "avc" && codec !== "hevc") return;
    this.#nalLengthSize = ((record[LENGTH_SIZE_AT[codec]] ?? 3) & 3) + 1;
    this.#doFlagsLie = false;
  }

  /** The marks of a frame. */
  take(tag: VideoTag, payload: Buffer, timestamp: number): number {
    const { codec, bodyOffset, bodyEnd, isKeyframe: isFlagged } = tag;
    const seen = lookAtPicture(codec, payload, bodyOffset, bodyEnd, this.#nalLengthSize);
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

  /** Whether a message of the time of the one before begins a picture all the same: clocks may stand still. */
  #beginsAnew(codec: VideoTag["codec"], seen: number): boolean {
    if (codec !== "avc" && codec !== "hevc") return true;
    return this.#hasSlice && (seen & Seen.First) !== 0;
  }
}
