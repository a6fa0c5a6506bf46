import { BitReader } from "../bit-reader.ts";
import { type FrameFormat, isFrameSize, pixelFormat } from "./frame-format.ts";

/** Marker and version, profile and level, flags, presentation delay; OBUs follow. */
const FIXED_BYTES = 4;
const MARKER_AND_VERSION = 0x81;
const OBU_SEQUENCE_HEADER = 1;
/** A record holds a sequence header and perhaps some metadata. */
const OBUS_MAX = 8;
const LEB128_BYTES_MAX = 4;
/** The largest level that has no tier bit. */
const LEVEL_WITHOUT_TIER_MAX = 7;
const PROFILE_MAX = 2;
/** BT.709, sRGB and no matrix: red, green and blue as they are. */
const RGB = 0x010d00;

type Obu = { readonly type: number; readonly body: Uint8Array; readonly end: number };

/** Reads the open bitstream unit at an offset (AV1 5.3). Undefined where it does not fit, or has no size of its own inside. */
function readObu(record: Buffer, offset: number): Obu | undefined {
  const first = record[offset];
  if (first === undefined) return undefined;
  const type = (first >> 3) & 0x0f;
  let start = offset + ((first & 0x04) === 0 ? 1 : 2);
  // Without a size it extends to the end.
  if ((first & 0x02) === 0) return { type, body: record.subarray(start), end: record.length };
  let size = 0;
  for (let index = 0; ; index += 1) {
    const byte = record[start];
    if (byte === undefined || index >= LEB128_BYTES_MAX) return undefined;
    size += (byte & 0x7f) * 2 ** (7 * index);
    start += 1;
    if ((byte & 0x80) === 0) break;
  }
  const end = start + size;
  return end > record.length ? undefined : { type, body: record.subarray(start, end), end };
}

/** Reads timing and decoder model (5.5.3, 5.5.4); the length of its delays in bits, 0 where there is no model. */
function readDelayBits(reader: BitReader): number {
  if (!reader.flag()) return 0;
  reader.bits(32); // num_units_in_display_tick
  reader.bits(32); // time_scale
  if (reader.flag()) reader.unsigned(); // num_ticks_per_picture_minus_1: uvlc() is ue(v)
  if (!reader.flag()) return 0;
  const delayBits = reader.bits(5) + 1;
  reader.bits(32); // num_units_in_decoding_tick
  reader.bits(10); // lengths of removal and presentation times
  return delayBits;
}

/** What a sequence header says first. */
type Sequence = {
  readonly profile: number;
  readonly level: number;
  readonly tier: number;
  readonly isReduced: boolean;
  readonly width: number;
  readonly height: number;
};

/** Level and tier of the first operating point. */
function readOperatingPoints(reader: BitReader): Pick<Sequence, "level" | "tier"> {
  const delayBits = readDelayBits(reader);
  const hasDisplayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  let first = { level: 0, tier: 0 };
  for (let index = 0; index < points; index += 1) {
    reader.bits(12); // operating_point_idc
    const level = reader.bits(5);
    const tier = level > LEVEL_WITHOUT_TIER_MAX ? reader.bit() : 0;
    if (index === 0) first = { level, tier };
    if (delayBits > 0 && reader.flag()) {
      reader.bits(delayBits); // decoder_buffer_delay
      reader.bits(delayBits); // encoder_buffer_delay
      reader.bit(); // low_delay_mode_flag
    }
    if (hasDisplayDelay && reader.flag()) reader.bits(4); // initial_display_delay_minus_1
  }
  return first;
}

/** Reads a sequence header (5.5.1) up to the largest frame size. */
function readSequence(reader: BitReader): Sequence {
  const profile = reader.bits(3);
  reader.bit(); // still_picture
  const isReduced = reader.flag();
  // A still picture's header has only its level.
  const point = isReduced ? { level: reader.bits(5), tier: 0 } : readOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  return { profile, ...point, isReduced, width, height };
}

function parseSequenceHeader(body: Uint8Array): FrameFormat | undefined {
  const reader = new BitReader(body);
  const { width, height } = readSequence(reader);
  return !reader.isExhausted && isFrameSize(width, height) ? { width, height } : undefined;
}

/** Passes over what a sequence header has between the frame size and the colours. */
function skipTools(reader: BitReader, isReduced: boolean): void {
  if (!isReduced && reader.flag()) reader.bits(7); // lengths of frame ids
  reader.bits(3); // 128 x 128 blocks, filter intra, intra edge filter
  if (!isReduced) {
    reader.bits(4); // compound and warped prediction, dual filter
    const hasOrderHint = reader.flag();
    if (hasOrderHint) reader.bits(2); // enable_jnt_comp, enable_ref_frame_mvs
    const mayHaveScreenContent = reader.flag() || reader.flag();
    if (mayHaveScreenContent && !reader.flag()) reader.bit(); // seq_force_integer_mv
    if (hasOrderHint) reader.bits(3); // order_hint_bits_minus_1
  }
  reader.bits(3); // superres, cdef, restoration
}

/** Reads the colours (5.5.2) as the record's third byte has them, without the tier. */
function readColours(reader: BitReader, profile: number): number {
  const isHigh = reader.bit();
  const isTwelve = profile === 2 && isHigh === 1 ? reader.bit() : 0;
  const isMonochrome = profile === 1 ? 0 : reader.bit();
  const depth = (isHigh << 6) | (isTwelve << 5);
  const description = reader.flag() ? reader.bits(24) : 0;
  if (isMonochrome === 1) return depth | 0x1c;
  if (description === RGB) return depth;
  reader.bit(); // color_range
  const [x, y] = readSubsampling(reader, profile, isTwelve === 1);
  const position = x === 1 && y === 1 ? reader.bits(2) : 0;
  return depth | (x << 3) | (y << 2) | position;
}

function readSubsampling(reader: BitReader, profile: number, isTwelve: boolean): readonly [number, number] {
  if (profile === 0) return [1, 1];
  if (profile === 1) return [0, 0];
  if (!isTwelve) return [1, 0];
  const x = reader.bit();
  return [x, x === 1 ? reader.bit() : 0];
}

/**
 * The first four bytes of the record of a sequence header, an open bitstream unit with a size of its own. Undefined where it
 * cannot be read.
 */
export function av1RecordHead(sequenceHeader: Buffer): Buffer | undefined {
  const obu = readObu(sequenceHeader, 0);
  if (obu?.type !== OBU_SEQUENCE_HEADER) return undefined;
  const reader = new BitReader(obu.body);
  const { profile, level, tier, isReduced, width, height } = readSequence(reader);
  skipTools(reader, isReduced);
  const colours = readColours(reader, profile);
  if (reader.isExhausted || profile > PROFILE_MAX || !isFrameSize(width, height)) return undefined;
  return Buffer.from([MARKER_AND_VERSION, (profile << 5) | level, (tier << 7) | colours, 0]);
}

/** Reads bit depth and chroma from the record's third byte: high_bitdepth, twelve_bit, monochrome, subsampling x and y. */
function readPixelFormat(record: Buffer): Pick<FrameFormat, "pixelFormat"> {
  const flags = record.readUInt8(2);
  const bitDepth = (flags & 0x40) === 0 ? 8 : (flags & 0x20) === 0 ? 10 : 12;
  const chromaFormat = (flags & 0x10) !== 0 ? 0 : (flags & 0x08) === 0 ? 3 : (flags & 0x04) === 0 ? 2 : 1;
  return pixelFormat(chromaFormat, bitDepth);
}

/**
 * Reads the frame's format from an AV1 codec configuration record (av1C, AV1 in ISO-BMFF 2.3). Undefined where it has no
 * readable sequence header.
 */
export function parseAv1Config(record: Buffer): FrameFormat | undefined {
  if (record[0] !== MARKER_AND_VERSION) return undefined;
  let offset = FIXED_BYTES;
  for (let index = 0; index < OBUS_MAX; index += 1) {
    const obu = readObu(record, offset);
    if (obu === undefined) return undefined;
    if (obu.type === OBU_SEQUENCE_HEADER) {
      const size = parseSequenceHeader(obu.body);
      return size === undefined ? undefined : { ...size, ...readPixelFormat(record) };
    }
    offset = obu.end;
  }
  return undefined;
}
