import type { VideoCodec } from "../fourcc.ts";

/** What the first slice of a video message shows, as bits; no bits where there is no slice. */
export const Seen = {
  /** There is a slice, and not only parameter sets or the like. */
  Slice: 1,
  /** It is the first slice of its frame. */
  First: 2,
  /** Of a frame that needs nothing before it. */
  RandomAccess: 4,
  /** It refers to other frames. */
  Inter: 8,
} as const;

/** A delimiter, parameter sets and a few messages precede the first slice; no encoder sends more units than this. */
const UNITS_MAX = 24;
const OBUS_MAX = 8;
const LEB128_BYTES_MAX = 4;

const AvcUnit = { Slice: 1, PartitionA: 2, Idr: 5 } as const;
const HevcUnit = { IrapFirst: 16, IrapLast: 21, VclLast: 31 } as const;
const VvcUnit = { IdrFirst: 7, IrapLast: 9, VclLast: 11 } as const;
const Obu = { SequenceHeader: 1, FrameHeader: 3, Frame: 6 } as const;

/**
 * Reads the first bytes of the first slice in a video message's coded data, at `payload[offset…end)`, whatever the
 * message's own flags say. `nalLengthSize` is the configuration's, in bytes. Allocates nothing, never throws.
 */
export function lookAtFrame(
  codec: VideoCodec,
  payload: Buffer,
  offset: number,
  end: number,
  nalLengthSize: number,
): number {
  switch (codec) {
    case "avc":
    case "hevc":
    case "vvc":
      return lookAtUnits(codec, payload, offset, end, nalLengthSize);
    case "av1":
      return Seen.Slice | Seen.First | lookAtObus(payload, offset, end);
    case "vp9":
      return Seen.Slice | Seen.First | (isVp9Key(payload[offset] ?? 0) ? Seen.RandomAccess : Seen.Inter);
    case "vp8":
      return Seen.Slice | Seen.First | (((payload[offset] ?? 1) & 1) === 0 ? Seen.RandomAccess : Seen.Inter);
    default:
      return Seen.Slice | Seen.First;
  }
}

function lookAtUnits(
  codec: "avc" | "hevc" | "vvc",
  payload: Buffer,
  offset: number,
  end: number,
  nalLengthSize: number,
): number {
  let at = offset;
  for (let unit = 0; unit < UNITS_MAX && at + nalLengthSize < end; unit += 1) {
    let size = 0;
    for (let index = 0; index < nalLengthSize; index += 1) size = size * 256 + (payload[at + index] ?? 0);
    at += nalLengthSize;
    if (size > end - at) return 0;
    const seen = size === 0 ? 0 : lookAtUnit(codec, payload, at, at + size);
    if (seen !== 0) return seen;
    at += size;
  }
  return 0;
}

/** 0 where the unit is not a slice. */
function lookAtUnit(codec: "avc" | "hevc" | "vvc", payload: Buffer, at: number, end: number): number {
  const byteAt = (offset: number) => (at + offset < end ? (payload[at + offset] ?? 0) : 0);
  const first = byteAt(0);
  if (codec === "avc") {
    const type = first & 0x1f;
    if (type === AvcUnit.Idr) return Seen.Slice | Seen.RandomAccess | firstSlice(byteAt(1));
    if (type !== AvcUnit.Slice && type !== AvcUnit.PartitionA) return 0;
    return Seen.Slice | firstSlice(byteAt(1)) | (isInterSlice(byteAt(1)) ? Seen.Inter : 0);
  }
  if (codec === "hevc") {
    const type = (first >> 1) & 0x3f;
    if (type > HevcUnit.VclLast) return 0;
    const isIrap = type >= HevcUnit.IrapFirst && type <= HevcUnit.IrapLast;
    // first_slice_segment_in_pic_flag.
    return Seen.Slice | firstSlice(byteAt(2)) | (isIrap ? Seen.RandomAccess : 0);
  }
  const type = byteAt(1) >> 3;
  if (type > VvcUnit.VclLast) return 0;
  const isIrap = type >= VvcUnit.IdrFirst && type <= VvcUnit.IrapLast;
  return Seen.Slice | Seen.First | (isIrap ? Seen.RandomAccess : 0);
}

/** H.264's first_mb_in_slice is 0, HEVC's flag is set: both are one bit, the first. */
function firstSlice(byte: number): number {
  return (byte & 0x80) === 0 ? 0 : Seen.First;
}

/** H.264's slice_type after a first_mb_in_slice of 0: P (0, 5) or B (1, 6), for a frame's first slice. */
function isInterSlice(byte: number): boolean {
  if ((byte & 0x80) === 0) return false;
  const code = byte & 0x7f;
  // ue(v): 1 is 0, 010 is 1, 00110 is 5, 00111 is 6.
  return code >= 0x40 || code >> 4 === 2 || code >> 2 === 6 || code >> 2 === 7;
}

/** Whether a temporal unit of AV1 begins with a shown key frame (5.9.2). */
function lookAtObus(payload: Buffer, offset: number, end: number): number {
  let at = offset;
  for (let obu = 0; obu < OBUS_MAX && at < end; obu += 1) {
    const first = payload[at] ?? 0;
    const type = (first >> 3) & 0x0f;
    at += (first & 0x04) === 0 ? 1 : 2;
    let size = end - at;
    if ((first & 0x02) !== 0) {
      size = 0;
      for (let index = 0; ; index += 1) {
        const byte = payload[at];
        if (byte === undefined || index >= LEB128_BYTES_MAX) return 0;
        size += (byte & 0x7f) * 2 ** (7 * index);
        at += 1;
        if ((byte & 0x80) === 0) break;
      }
    }
    if (size < 1 || at >= end) {
      if (size > 0) return 0;
      continue;
    }
    if (type === Obu.FrameHeader || type === Obu.Frame) {
      // show_existing_frame 0, frame_type 0 (key), show_frame 1.
      return ((payload[at] ?? 0) & 0xf0) === 0x10 ? Seen.RandomAccess : Seen.Inter;
    }
    at += size;
  }
  return 0;
}

/**
 * Uncompressed header (6.2): frame_marker 2, two bits of profile, show_existing_frame, frame_type 0. Profile 3 has one
 * bit more.
 */
function isVp9Key(first: number): boolean {
  if (first >> 6 !== 2) return false;
  return (first & 0x30) === 0x30 ? (first & 0x06) === 0 : (first & 0x0c) === 0;
}
