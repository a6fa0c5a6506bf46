import { BitReader } from "../bit-reader.ts";
import { type FrameFormat, isFrameSize, pixelFormat } from "./frame-format.ts";
import { SPS_BYTES_MAX, withoutEmulationPrevention } from "./nal-unit.ts";

/** All of an HEVC decoder configuration record (hvcC) before its arrays; the last byte counts them. */
const FIXED_BYTES = 23;
/** Kinds of NAL units, and units of one kind; real records have one of each. */
const ARRAYS_MAX = 16;
const UNITS_MAX = 16;
const NAL_TYPE_SPS = 33;
/** general_profile_space to general_reserved_zero_bit, without the level (7.3.3). */
const PROFILE_BITS = 88;
const LEVEL_BITS = 8;
/** sps_max_sub_layers_minus1 is 0 to 6. */
const SUB_LAYERS_LESS_ONE_MAX = 6;

function skip(reader: BitReader, bits: number): void {
  for (let index = 0; index < bits; index += 1) reader.bit();
}

/** profile_tier_level (H.265 7.3.3). */
function skipProfile(reader: BitReader, subLayersLessOne: number): void {
  skip(reader, PROFILE_BITS + LEVEL_BITS);
  const present = Array.from({ length: subLayersLessOne }, () => [reader.flag(), reader.flag()] as const);
  if (subLayersLessOne > 0) skip(reader, (8 - subLayersLessOne) * 2);
  for (const [hasProfile, hasLevel] of present)
    skip(reader, (hasProfile ? PROFILE_BITS : 0) + (hasLevel ? LEVEL_BITS : 0));
}

/** Reads a sequence parameter set (H.265 7.3.2.2) with its two-byte NAL header, up to the bit depth. */
function parseHevcSps(nalUnit: Uint8Array): FrameFormat | undefined {
  if (nalUnit.length > SPS_BYTES_MAX) return undefined;
  const reader = new BitReader(withoutEmulationPrevention(nalUnit.subarray(2)));
  reader.bits(4); // sps_video_parameter_set_id
  const subLayersLessOne = reader.bits(3);
  if (subLayersLessOne > SUB_LAYERS_LESS_ONE_MAX) return undefined;
  reader.bit(); // sps_temporal_id_nesting_flag
  skipProfile(reader, subLayersLessOne);
  reader.unsigned(); // sps_seq_parameter_set_id
  const chromaFormat = reader.unsigned();
  const isSeparate = chromaFormat === 3 && reader.flag();
  let width = reader.unsigned();
  let height = reader.unsigned();
  if (reader.flag()) {
    // The conformance window, in units of chroma samples (table 6-1).
    const unitX = !isSeparate && (chromaFormat === 1 || chromaFormat === 2) ? 2 : 1;
    const unitY = !isSeparate && chromaFormat === 1 ? 2 : 1;
    width -= (reader.unsigned() + reader.unsigned()) * unitX;
    height -= (reader.unsigned() + reader.unsigned()) * unitY;
  }
  const bitDepth = reader.unsigned() + 8;
  if (reader.isExhausted || !isFrameSize(width, height)) return undefined;
  return { width, height, ...pixelFormat(chromaFormat, bitDepth) };
}

/**
 * Reads the frame's format from an HEVC decoder configuration record (ISO/IEC 14496-15, 8.3.3.1). Undefined where there
 * is no readable parameter set.
 */
export function parseHevcConfig(record: Buffer): FrameFormat | undefined {
  if (record.length < FIXED_BYTES || record[0] !== 1) return undefined;
  const arrays = Math.min(record.readUInt8(FIXED_BYTES - 1), ARRAYS_MAX);
  let offset = FIXED_BYTES;
  for (let array = 0; array < arrays && offset + 3 <= record.length; array += 1) {
    const type = record.readUInt8(offset) & 0x3f;
    const units = Math.min(record.readUInt16BE(offset + 1), UNITS_MAX);
    offset += 3;
    for (let unit = 0; unit < units; unit += 1) {
      if (offset + 2 > record.length) return undefined;
      const end = offset + 2 + record.readUInt16BE(offset);
      if (end > record.length) return undefined;
      if (type === NAL_TYPE_SPS) return parseHevcSps(record.subarray(offset + 2, end));
      offset = end;
    }
  }
  return undefined;
}

/** Kinds of NAL units in a record's arrays: parameter sets (VPS, SPS, PPS) and messages. */
const ARRAY_TYPES: ReadonlySet<number> = new Set([32, 33, 34, 39, 40]);

/**
 * Whether a record in H.264's place is an HEVC record: its arrays hold HEVC's parameter sets, and nothing follows them.
 */
export function isHevcConfig(record: Buffer): boolean {
  if (record.length < FIXED_BYTES || record.readUInt8(0) > 1) return false;
  const arrays = record.readUInt8(FIXED_BYTES - 1);
  if (arrays === 0 || arrays > ARRAYS_MAX) return false;
  let hasSps = false;
  let offset = FIXED_BYTES;
  for (let array = 0; array < arrays; array += 1) {
    if (offset + 3 > record.length) return false;
    const type = record.readUInt8(offset) & 0x3f;
    const units = record.readUInt16BE(offset + 1);
    if (!ARRAY_TYPES.has(type) || units > UNITS_MAX) return false;
    offset += 3;
    for (let unit = 0; unit < units; unit += 1) {
      if (offset + 3 > record.length) return false;
      // The unit's own header has the same type.
      if (((record.readUInt8(offset + 2) >> 1) & 0x3f) !== type) return false;
      offset += 2 + record.readUInt16BE(offset);
      if (offset > record.length) return false;
      hasSps ||= type === NAL_TYPE_SPS;
    }
  }
  return hasSps;
}
