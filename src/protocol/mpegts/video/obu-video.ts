import { FourCc } from "../../flv/fourcc.ts";
import { av1RecordHead } from "../../flv/video/av1-config.ts";
import { lookAtFrame, Seen } from "../../flv/video/coded-frame.ts";
import { withoutEmulationPrevention } from "../../flv/video/nal-unit.ts";
import type { VideoTrack } from "../track.ts";
import { findUnits, noUnits } from "./annex-b.ts";

const ObuType = { SequenceHeader: 1, TemporalDelimiter: 2, TileList: 8, Padding: 15 } as const;
const HAS_EXTENSION = 0x04;
const HAS_SIZE = 0x02;
const SEQUENCE_START = 0x90;
const Frame = { Key: 0x91, Inter: 0xa1 } as const;
/** The descriptor is the record's first four bytes: marker and version, profile and level, flags, delay. */
const RECORD_HEAD_BYTES = 4;
const SEQUENCE_HEADER_BYTES_MAX = 4_096;
const LEB128_BYTES_MAX = 4;

const units = noUnits();

/**
 * AV1 in a transport stream (AOM, "Carriage of AV1 in MPEG-2 TS"): open bitstream units behind start codes, with
 * emulation prevention. Made into Enhanced RTMP's messages, in the form with sizes that FLV and MP4 have.
 */
export class ObuVideo {
  readonly #track: VideoTrack;
  readonly #recordHead: Buffer | undefined;
  #sequenceHeader: Buffer | undefined;

  /** `descriptor`: the stream's AV1 video descriptor. Without it the sequence header says the same. */
  constructor(descriptor: Buffer | undefined, track: VideoTrack) {
    this.#track = track;
    if (descriptor !== undefined && descriptor.length >= RECORD_HEAD_BYTES) {
      this.#recordHead = Buffer.from(descriptor.subarray(0, RECORD_HEAD_BYTES));
    }
  }

  /** Takes a PES packet's data, a temporal unit; times are unwrapped, in 90 kHz. */
  take(bytes: Buffer, from: number, end: number, pts: number | undefined, dts: number | undefined): void {
    const time = dts ?? pts;
    if (time === undefined) return;
    findUnits(bytes, from, end, units);
    const kept: Buffer[] = [];
    for (let index = 0; index < units.count; index += 1) {
      const unit = withoutEmulationPrevention(bytes.subarray(units.starts[index], units.ends[index]));
      const type = ((unit[0] ?? 0) >> 3) & 0x0f;
      if (type === ObuType.TemporalDelimiter || type === ObuType.TileList || type === ObuType.Padding) continue;
      const obu = withSize(unit);
      if (obu === undefined) continue;
      if (type === ObuType.SequenceHeader) this.#takeSequenceHeader(obu, time);
      kept.push(obu);
    }
    if (kept.length === 0) return;
    const body = Buffer.concat(kept);
    const seen = lookAtFrame("av1", body, 0, body.length, 0);
    const isKey = (seen & Seen.RandomAccess) !== 0;
    // Before its sequence header an inter frame is sent all the same: it shows that video comes.
    if (this.#sequenceHeader === undefined && (isKey || (seen & Seen.Inter) === 0)) return;
    this.#track.frame(Buffer.concat([tagHead(isKey ? Frame.Key : Frame.Inter), body]), time);
  }

  /** A temporal unit is a packet: nothing is kept. */
  damaged(): void {
    return;
  }

  #takeSequenceHeader(obu: Buffer, time: number): void {
    if (obu.length > SEQUENCE_HEADER_BYTES_MAX || this.#sequenceHeader?.equals(obu) === true) return;
    const recordHead = this.#recordHead ?? av1RecordHead(obu);
    if (recordHead === undefined) return;
    this.#sequenceHeader = obu;
    this.#track.config(Buffer.concat([tagHead(SEQUENCE_START), recordHead, obu]), time);
  }
}

function tagHead(first: number): Buffer {
  const head = Buffer.alloc(5);
  head[0] = first;
  head.writeUInt32BE(FourCc.Av1, 1);
  return head;
}

/** A unit with a size field of its own; undefined where it has one that does not fit. AV1, 5.3.2. */
function withSize(unit: Uint8Array): Buffer | undefined {
  const first = unit[0] ?? 0;
  const headBytes = (first & HAS_EXTENSION) === 0 ? 1 : 2;
  if (unit.length < headBytes) return undefined;
  let bodyAt = headBytes;
  let size = unit.length - headBytes;
  if ((first & HAS_SIZE) !== 0) {
    size = 0;
    for (let index = 0; ; index += 1) {
      const byte = unit[bodyAt];
      if (byte === undefined || index >= LEB128_BYTES_MAX) return undefined;
      size += (byte & 0x7f) * 2 ** (7 * index);
      bodyAt += 1;
      if ((byte & 0x80) === 0) break;
    }
  }
  // Zero bytes at a unit's end look like a part of the next start code, and are missing here.
  if (bodyAt + size > unit.length) return undefined;
  const head = Buffer.from(unit.subarray(0, headBytes));
  head[0] = first | HAS_SIZE;
  return Buffer.concat([head, leb128(size), unit.subarray(bodyAt, bodyAt + size)]);
}

function leb128(size: number): Buffer {
  const bytes: number[] = [];
  for (let left = size; ; left = Math.floor(left / 128)) {
    const isLast = left < 128;
    bytes.push((left % 128) | (isLast ? 0 : 0x80));
    if (isLast) return Buffer.from(bytes);
  }
}
