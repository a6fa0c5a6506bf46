import { parseAvcConfig } from "./avc-config.ts";
import { classifyVideo } from "./video-tag.ts";

const FIXED_BYTES = 5;
const COUNT_MASK = 0x1f;

/**
 * An AVC keyframe with the parameter sets of its sequence header before its own NAL units. Decoders that read only the
 * stream find the new ones there. Returns any other frame unchanged, and the keyframe where the header cannot be read.
 */
export function withParameterSets(keyframe: Buffer, config: Buffer | undefined): Buffer {
  if (config === undefined || classifyVideo(keyframe).codec !== "avc") return keyframe;
  const header = classifyVideo(config);
  const record = config.subarray(header.bodyOffset, header.bodyEnd);
  const lengthBytes = parseAvcConfig(record)?.nalLengthSize;
  const sets = lengthBytes === undefined ? undefined : parameterSets(record, lengthBytes);
  if (sets === undefined) return keyframe;
  const { bodyOffset } = classifyVideo(keyframe);
  return Buffer.concat([keyframe.subarray(0, bodyOffset), ...sets, keyframe.subarray(bodyOffset)]);
}

/** SPS and PPS of a decoder configuration record (ISO/IEC 14496-15, 5.3.3.1), each with its length before it. */
function parameterSets(record: Buffer, lengthBytes: number): readonly Buffer[] | undefined {
  const sets: Buffer[] = [];
  let at = FIXED_BYTES;
  for (let list = 0; list < 2; list += 1) {
    if (at >= record.length) return undefined;
    const count = record.readUInt8(at) & COUNT_MASK;
    at += 1;
    for (let index = 0; index < count; index += 1) {
      if (at + 2 > record.length) return undefined;
      const length = record.readUInt16BE(at);
      at += 2;
      if (at + length > record.length || length >= 2 ** (8 * lengthBytes)) return undefined;
      const prefix = Buffer.alloc(lengthBytes);
      prefix.writeUIntBE(length, 0, lengthBytes);
      sets.push(prefix, record.subarray(at, at + length));
      at += length;
    }
  }
  return sets;
}
