import { BitReader } from "../bit-reader.ts";
import { type FrameFormat, isFrameSize, pixelFormat } from "./frame-format.ts";
import { SPS_BYTES_MAX, withoutEmulationPrevention } from "./nal-unit.ts";

/** H.264 profiles whose parameter set says more about chroma and scaling (7.3.2.1.1). */
const HIGH_PROFILES: ReadonlySet<number> = new Set([100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135]);
const FRAMES_PER_SECOND_MAX = 1_000;
/** The standard's bound of num_ref_frames_in_pic_order_cnt_cycle. */
const ORDER_CYCLE_MAX = 255;
const ASPECT_RATIO_EXTENDED = 255;

function skipScalingList(reader: BitReader, size: number): void {
  let last = 8;
  let next = 8;
  for (let index = 0; index < size; index += 1) {
    if (next !== 0) next = (last + reader.signed() + 256) % 256;
    last = next === 0 ? last : next;
  }
}

/** `format`: chroma_format_idc. `units`: the same, but 0 where planes are coded apart: cropping units depend on it. */
type Chroma = { readonly format: number; readonly units: number; readonly bitDepth: number };

const USUAL_CHROMA: Chroma = { format: 1, units: 1, bitDepth: 8 };

/** Reads the fields that only high profiles have. */
function readChroma(reader: BitReader): Chroma {
  const chromaFormat = reader.unsigned();
  const isSeparate = chromaFormat === 3 && reader.flag();
  const bitDepth = reader.unsigned() + 8;
  reader.unsigned(); // bit_depth_chroma_minus8
  reader.bit(); // qpprime_y_zero_transform_bypass_flag
  if (reader.flag()) {
    const lists = chromaFormat === 3 ? 12 : 8;
    for (let index = 0; index < lists; index += 1) {
      if (reader.flag()) skipScalingList(reader, index < 6 ? 16 : 64);
    }
  }
  return { format: chromaFormat, units: isSeparate ? 0 : chromaFormat, bitDepth };
}

function skipPictureOrder(reader: BitReader): void {
  const kind = reader.unsigned();
  if (kind === 0) {
    reader.unsigned(); // log2_max_pic_order_cnt_lsb_minus4
  } else if (kind === 1) {
    reader.bit(); // delta_pic_order_always_zero_flag
    reader.signed(); // offset_for_non_ref_pic
    reader.signed(); // offset_for_top_to_bottom_field
    const cycle = Math.min(reader.unsigned(), ORDER_CYCLE_MAX);
    for (let index = 0; index < cycle; index += 1) reader.signed();
  }
}

/** Video usability information (E.1.1), as far as the timing. */
function readFrameRate(reader: BitReader): number | undefined {
  if (reader.flag() && reader.bits(8) === ASPECT_RATIO_EXTENDED) reader.bits(32); // sar_width, sar_height
  if (reader.flag()) reader.bit(); // overscan_appropriate_flag
  if (reader.flag()) {
    reader.bits(4); // video_format, video_full_range_flag
    if (reader.flag()) reader.bits(24); // colour_primaries, transfer_characteristics, matrix_coefficients
  }
  if (reader.flag()) {
    reader.unsigned(); // chroma_sample_loc_type_top_field
    reader.unsigned(); // chroma_sample_loc_type_bottom_field
  }
  if (!reader.flag()) return undefined;
  const unitsInTick = reader.bits(32);
  const timeScale = reader.bits(32);
  if (reader.isExhausted || unitsInTick === 0) return undefined;
  // A tick is the time of a field: two make a frame.
  const frameRate = timeScale / (2 * unitsInTick);
  return frameRate > 0 && frameRate <= FRAMES_PER_SECOND_MAX ? frameRate : undefined;
}

/** Samples that one cropping unit stands for (7.4.2.1.1, table 6-1). */
function cropUnits(chromaFormat: number, fieldFactor: number): { x: number; y: number } {
  const x = chromaFormat === 1 || chromaFormat === 2 ? 2 : 1;
  const y = chromaFormat === 1 ? 2 : 1;
  return { x, y: y * fieldFactor };
}

/** Reads a sequence parameter set with its NAL header. Undefined where it is damaged or contradicts itself. */
export function parseSps(nalUnit: Uint8Array): FrameFormat | undefined {
  if (((nalUnit[0] ?? 0) & 0x1f) !== 7 || nalUnit.length > SPS_BYTES_MAX) return undefined;
  const reader = new BitReader(withoutEmulationPrevention(nalUnit.subarray(1)));
  const profile = reader.bits(8);
  reader.bits(16); // constraint flags, level_idc
  reader.unsigned(); // seq_parameter_set_id
  const chroma = HIGH_PROFILES.has(profile) ? readChroma(reader) : USUAL_CHROMA;
  reader.unsigned(); // log2_max_frame_num_minus4
  skipPictureOrder(reader);
  reader.unsigned(); // max_num_ref_frames
  reader.bit(); // gaps_in_frame_num_value_allowed_flag
  const widthInMacroblocks = reader.unsigned() + 1;
  const heightInMapUnits = reader.unsigned() + 1;
  const isFrameOnly = reader.flag();
  const fieldFactor = isFrameOnly ? 1 : 2;
  if (!isFrameOnly) reader.bit(); // mb_adaptive_frame_field_flag
  reader.bit(); // direct_8x8_inference_flag
  let width = widthInMacroblocks * 16;
  let height = heightInMapUnits * 16 * fieldFactor;
  if (reader.flag()) {
    const unit = cropUnits(chroma.units, fieldFactor);
    width -= (reader.unsigned() + reader.unsigned()) * unit.x;
    height -= (reader.unsigned() + reader.unsigned()) * unit.y;
  }
  const hasUsability = reader.flag();
  if (reader.isExhausted || !isFrameSize(width, height)) return undefined;
  const frameRate = hasUsability ? readFrameRate(reader) : undefined;
  const format = { width, height, ...pixelFormat(chroma.format, chroma.bitDepth) };
  return frameRate === undefined ? format : { ...format, frameRate };
}
