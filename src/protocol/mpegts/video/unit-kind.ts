import { BitReader } from "../../flv/bit-reader.ts";
import { withoutEmulationPrevention } from "../../flv/video/nal-unit.ts";

/** What a NAL unit is to a demuxer. */
export const UnitKind = {
  /** Not needed in FLV: delimiters, filler, end marks. */
  Dropped: 0,
  Slice: 1,
  /** The first slice of its frame. */
  FirstSlice: 2,
  /** The same of a frame that needs nothing before it. */
  FirstKeySlice: 3,
  Vps: 4,
  Sps: 5,
  Pps: 6,
  /** Messages and other units that precede a frame's slices. */
  Prefix: 7,
  /** Begins a frame, and is not needed in FLV. */
  Delimiter: 8,
  /** Stays where it is. */
  Other: 9,
  /** A message that says that decoding can begin here, if not with a clean frame. */
  RecoveryPoint: 10,
} as const;

const SEI_RECOVERY_POINT = 6;
/** I and SI in both forms of slice_type: H.264, table 7-6. */
const INTRA_SLICE_TYPES: ReadonlySet<number> = new Set([2, 4, 7, 9]);
/** first_mb_in_slice and slice_type, with what prevents start codes in them. */
const SLICE_START_BYTES = 12;
/** Messages of one unit that are looked at. */
const MESSAGES_MAX = 16;

/** H.264, table 7-1. The unit is `bytes[start…end)`. */
export function avcUnitKind(bytes: Buffer, start: number, end: number): number {
  const type = (bytes[start] ?? 0) & 0x1f;
  const isFirst = start + 1 < end && ((bytes[start + 1] ?? 0) & 0x80) !== 0;
  switch (type) {
    case 1:
    case 2:
      return isFirst ? UnitKind.FirstSlice : UnitKind.Slice;
    case 3:
    case 4:
      return UnitKind.Slice;
    case 5:
      return isFirst ? UnitKind.FirstKeySlice : UnitKind.Slice;
    case 6:
      return hasRecoveryPoint(bytes, start + 1, end) ? UnitKind.RecoveryPoint : UnitKind.Prefix;
    case 7:
      return UnitKind.Sps;
    case 8:
      return UnitKind.Pps;
    case 9:
      return UnitKind.Delimiter;
    case 10:
    case 11:
    case 12:
      return UnitKind.Dropped;
    default:
      return UnitKind.Other;
  }
}

/** Whether a slice of H.264 refers to no other frame: 7.3.3. */
export function isIntraSlice(bytes: Buffer, start: number, end: number): boolean {
  const from = start + 1;
  const reader = new BitReader(
    withoutEmulationPrevention(bytes.subarray(from, Math.min(end, from + SLICE_START_BYTES))),
  );
  reader.unsigned(); // first_mb_in_slice
  return INTRA_SLICE_TYPES.has(reader.unsigned()) && !reader.isExhausted;
}

/** H.265, table 7-1. */
export function hevcUnitKind(bytes: Buffer, start: number, end: number): number {
  const type = ((bytes[start] ?? 0) >> 1) & 0x3f;
  if (type <= 31) {
    const isFirst = start + 2 < end && ((bytes[start + 2] ?? 0) & 0x80) !== 0;
    if (!isFirst) return UnitKind.Slice;
    return type >= 16 && type <= 21 ? UnitKind.FirstKeySlice : UnitKind.FirstSlice;
  }
  switch (type) {
    case 32:
      return UnitKind.Vps;
    case 33:
      return UnitKind.Sps;
    case 34:
      return UnitKind.Pps;
    case 35:
      return UnitKind.Delimiter;
    case 36:
    case 37:
    case 38:
      return UnitKind.Dropped;
    case 39:
      return UnitKind.Prefix;
    default:
      return UnitKind.Other;
  }
}

/** Supplemental enhancement information, H.264 7.3.2.3: types and sizes are sums that 255 continues. */
function hasRecoveryPoint(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  for (let message = 0; message < MESSAGES_MAX && at + 2 < end; message += 1) {
    let type = 0;
    while (at < end && bytes[at] === 0xff) {
      type += 255;
      at += 1;
    }
    type += bytes[at] ?? 0;
    at += 1;
    if (type === SEI_RECOVERY_POINT) return true;
    let size = 0;
    while (at < end && bytes[at] === 0xff) {
      size += 255;
      at += 1;
    }
    at += 1 + size + (bytes[at] ?? 0);
  }
  return false;
}
