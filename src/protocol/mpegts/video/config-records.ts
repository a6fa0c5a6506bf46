import { BitReader } from "../../flv/bit-reader.ts";
import { withoutEmulationPrevention } from "../../flv/video/nal-unit.ts";

/** Profiles whose parameter set says more about chroma (H.264 7.3.2.1.1) and whose record repeats it. */
const BASIC_PROFILES: ReadonlySet<number> = new Set([66, 77, 88]);
/** The bytes of an HEVC profile, tier and level: H.265 7.3.3, up to general_level_idc. */
const PROFILE_BYTES = 12;
const SUB_LAYER_BYTES = { profile: 11, level: 1 } as const;

type Chroma = { readonly format: number; readonly lumaDepthLess8: number; readonly chromaDepthLess8: number };

/**
 * An AVC decoder configuration record (ISO/IEC 14496-15, 5.3.3.1) of parameter sets with their NAL headers. Undefined
 * where the first sequence parameter set is too short.
 */
export function avcRecord(sps: readonly Buffer[], pps: readonly Buffer[]): Buffer | undefined {
  const first = sps[0];
  if (first === undefined || first.length < 4 || pps.length === 0) return undefined;
  const profile = first.readUInt8(1);
  const parts = [
    Buffer.from([1, profile, first.readUInt8(2), first.readUInt8(3), 0xff, 0xe0 | sps.length]),
    ...sps.flatMap(withLength),
    Buffer.from([pps.length]),
    ...pps.flatMap(withLength),
  ];
  const chroma = BASIC_PROFILES.has(profile) ? undefined : avcChroma(first);
  if (chroma !== undefined) {
    const { format, lumaDepthLess8, chromaDepthLess8 } = chroma;
    parts.push(Buffer.from([0xfc | format, 0xf8 | lumaDepthLess8, 0xf8 | chromaDepthLess8, 0]));
  }
  return Buffer.concat(parts);
}

/**
 * An HEVC decoder configuration record (ISO/IEC 14496-15, 8.3.3.1) of parameter sets with their NAL headers. Undefined
 * where the first sequence parameter set cannot be read.
 */
export function hevcRecord(vps: readonly Buffer[], sps: readonly Buffer[], pps: readonly Buffer[]): Buffer | undefined {
  const first = sps[0];
  if (first === undefined || vps.length === 0 || pps.length === 0) return undefined;
  const clean = withoutEmulationPrevention(first.subarray(2));
  const reader = new BitReader(clean);
  reader.bits(4); // sps_video_parameter_set_id
  const subLayersLessOne = reader.bits(3);
  const isNested = reader.bit();
  for (let index = 0; index < PROFILE_BYTES; index += 1) reader.bits(8);
  skipSubLayers(reader, subLayersLessOne);
  reader.unsigned(); // sps_seq_parameter_set_id
  const format = reader.unsigned();
  if (format === 3) reader.bit(); // separate_colour_plane_flag
  reader.unsigned(); // width
  reader.unsigned(); // height
  if (reader.flag()) for (let index = 0; index < 4; index += 1) reader.unsigned();
  const lumaDepthLess8 = reader.unsigned();
  const chromaDepthLess8 = reader.unsigned();
  if (reader.isExhausted || format > 3 || lumaDepthLess8 > 7 || chromaDepthLess8 > 7) return undefined;
  return Buffer.concat([
    Buffer.from([1]),
    clean.subarray(1, 1 + PROFILE_BYTES),
    // Unknown: segmentation, parallelism, average frame rate. The length of a unit takes four bytes.
    Buffer.from([0xf0, 0, 0xfc, 0xfc | format, 0xf8 | lumaDepthLess8, 0xf8 | chromaDepthLess8, 0, 0]),
    Buffer.from([((subLayersLessOne + 1) << 3) | (isNested << 2) | 3, 3]),
    ...unitArray(32, vps),
    ...unitArray(33, sps),
    ...unitArray(34, pps),
  ]);
}

function skipSubLayers(reader: BitReader, count: number): void {
  const present = Array.from({ length: count }, () => [reader.bit(), reader.bit()] as const);
  if (count > 0) reader.bits((8 - count) * 2);
  for (const [hasProfile, hasLevel] of present) {
    const bytes = hasProfile * SUB_LAYER_BYTES.profile + hasLevel * SUB_LAYER_BYTES.level;
    for (let index = 0; index < bytes; index += 1) reader.bits(8);
  }
}

function avcChroma(sps: Buffer): Chroma | undefined {
  const reader = new BitReader(withoutEmulationPrevention(sps.subarray(4)));
  reader.unsigned(); // seq_parameter_set_id
  const format = reader.unsigned();
  if (format === 3) reader.bit(); // separate_colour_plane_flag
  const lumaDepthLess8 = reader.unsigned();
  const chromaDepthLess8 = reader.unsigned();
  if (reader.isExhausted || format > 3 || lumaDepthLess8 > 7 || chromaDepthLess8 > 7) return undefined;
  return { format, lumaDepthLess8, chromaDepthLess8 };
}

/** `array_completeness` is 0: changed sets may also come within frames. */
function unitArray(type: number, units: readonly Buffer[]): Buffer[] {
  return [Buffer.from([type, 0, units.length]), ...units.flatMap(withLength)];
}

function withLength(unit: Buffer): Buffer[] {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(unit.length);
  return [length, unit];
}
