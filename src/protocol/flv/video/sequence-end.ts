import { classifyVideo } from "./video-tag.ts";

/** HEVC's end of sequence (H.265, 7.3.1.2: type 36), behind its length in the usual four bytes. */
const END_OF_SEQUENCE = Buffer.from("000000024801", "hex");
const LENGTH_BYTES = 4;
const UNITS_MAX = 24;
const VCL_LAST = 31;
const IDR_FIRST = 19;
const IDR_LAST = 20;

/**
 * A keyframe that may be sent several times in a row. One of HEVC that is not IDR (open groups of pictures, as x265 makes
 * them) goes on with the count of pictures before it, so decoders refuse it the second time, unless the sequence has ended
 * (H.265, 8.1.3). Other keyframes are returned as they are.
 */
export function withSequenceEnd(keyframe: Buffer): Buffer {
  const { codec, part, bodyOffset, bodyEnd } = classifyVideo(keyframe);
  if (codec !== "hevc" || part !== "frame" || bodyEnd !== keyframe.length) return keyframe;
  const type = firstSliceType(keyframe, bodyOffset);
  if (type === undefined || (type >= IDR_FIRST && type <= IDR_LAST)) return keyframe;
  return Buffer.concat([keyframe, END_OF_SEQUENCE]);
}

/** The type of the first slice's unit; undefined where there is none, or lengths have another size. */
function firstSliceType(payload: Buffer, offset: number): number | undefined {
  let at = offset;
  for (let unit = 0; unit < UNITS_MAX && at + LENGTH_BYTES < payload.length; unit += 1) {
    const start = at + LENGTH_BYTES;
    const end = start + payload.readUInt32BE(at);
    if (end > payload.length) return undefined;
    const type = (payload.readUInt8(start) >> 1) & 0x3f;
    if (end > start && type <= VCL_LAST) return type;
    at = end;
  }
  return undefined;
}
