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

function skipOperatingPoints(reader: BitReader): void {
  const delayBits = readDelayBits(reader);
  const hasDisplayDelay = reader.flag();
  const points = reader.bits(5) + 1;
  for (let index = 0; index < points; index += 1) {
    reader.bits(12); // operating_point_idc
    if (reader.bits(5) > LEVEL_WITHOUT_TIER_MAX) reader.bit(); // seq_tier
    if (delayBits > 0 && reader.flag()) {
      reader.bits(delayBits); // decoder_buffer_delay
      reader.bits(delayBits); // encoder_buffer_delay
      reader.bit(); // low_delay_mode_flag
    }
    if (hasDisplayDelay && reader.flag()) reader.bits(4); // initial_display_delay_minus_1
  }
}

/** Reads a sequence header (5.5.1) up to the largest frame size. */
function parseSequenceHeader(body: Uint8Array): FrameFormat | undefined {
  const reader = new BitReader(body);
  reader.bits(4); // seq_profile, still_picture
  if (reader.flag())
    reader.bits(5); // a still picture's header has only its level
  else skipOperatingPoints(reader);
  const widthBits = reader.bits(4) + 1;
  const heightBits = reader.bits(4) + 1;
  const width = reader.bits(widthBits) + 1;
  const height = reader.bits(heightBits) + 1;
  return !reader.isExhausted && isFrameSize(width, height) ? { width, height } : undefined;
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
