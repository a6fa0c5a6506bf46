import { trackIdsOf } from "../tracks.ts";
import { readRecordUnits } from "./record-units.ts";
import { classifyVideo } from "./video-tag.ts";

/**
 * A keyframe of H.264 or HEVC with the parameter sets of its sequence header before its own NAL units. Decoders that read
 * only the stream find the new ones there. Returns any other frame unchanged, and the keyframe where the header cannot be
 * read, or where the message has several tracks: a size stands before each of them.
 */
export function withParameterSets(keyframe: Buffer, config: Buffer | undefined): Buffer {
  const { codec, bodyOffset } = classifyVideo(keyframe);
  if (config === undefined || (codec !== "avc" && codec !== "hevc")) return keyframe;
  const header = classifyVideo(config);
  if (header.codec !== codec) return keyframe;
  const record = readRecordUnits(codec, config.subarray(header.bodyOffset, header.bodyEnd));
  if (trackIdsOf("video", keyframe).length > 1) return keyframe;
  if (record === undefined || record.sets.some(({ length }) => length >= 2 ** (8 * record.lengthSize))) return keyframe;
  const sets = record.sets.flatMap((set) => {
    const prefix = Buffer.alloc(record.lengthSize);
    prefix.writeUIntBE(set.length, 0, record.lengthSize);
    return [prefix, set];
  });
  return Buffer.concat([keyframe.subarray(0, bodyOffset), ...sets, keyframe.subarray(bodyOffset)]);
}
