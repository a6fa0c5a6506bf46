import { FourCc } from "../../flv/fourcc.ts";
import type { VideoTrack } from "../track.ts";
import { findUnits, noUnits } from "./annex-b.ts";
import { ParameterSets } from "./parameter-sets.ts";
import { avcUnitKind, hevcUnitKind, isIntraSlice, UnitKind } from "./unit-kind.ts";

const TICKS_PER_MS = 90;
const LENGTH_BYTES = 4;
const AVC_HEADER_BYTES = 5;
/** First byte and FourCC; a composition time follows in CodedFrames. */
const HEVC_HEADER_BYTES = 5;
const Hevc = { SequenceStart: 0x90, Key: 0x90, Inter: 0xa0, CodedFrames: 1, CodedFramesX: 3 } as const;
const COMPOSITION_TIME_MAX = 0x7fffff;
/** Two packets further apart than this do not show the time between frames: 90 kHz. */
const INTERVAL_MAX = 90_000;

const units = noUnits();
const kinds = new Uint8Array(units.starts.length);

/**
 * H.264 or HEVC in annex B form, made into FLV's messages: legacy for H.264, Enhanced RTMP for HEVC. Parameter sets
 * become sequence headers. A PES packet usually holds a frame; it may hold several.
 */
export class NalVideo {
  readonly #codec: "avc" | "hevc";
  readonly #track: VideoTrack;
  readonly #sets: ParameterSets;
  #pts: number | undefined;
  #dts = 0;
  /** Time between the last two packets. */
  #interval = 0;
  /** Something was lost, and no frame has begun since. */
  #isDamaged = false;

  constructor(codec: "avc" | "hevc", track: VideoTrack) {
    this.#codec = codec;
    this.#track = track;
    this.#sets = new ParameterSets(codec);
  }

  /**
   * Takes a PES packet's data; times are unwrapped, in 90 kHz, and absent where it has none. Data without times, or with
   * those of the last packet, is what that one did not have.
   */
  take(bytes: Buffer, from: number, end: number, pts: number | undefined, dts: number | undefined): void {
    if (pts !== undefined) this.#setTime(pts, dts ?? pts);
    if (this.#pts === undefined) return;
    findUnits(bytes, from, end, units);
    const frames = this.#sortUnits(bytes);
    const step = frames > 1 ? this.#interval / frames : 0;
    let first = 0;
    let shift = 0;
    for (let hasSlice = false, index = 0; index < units.count; index += 1) {
      const kind = kinds[index] ?? 0;
      if (hasSlice && beginsFrame(kind)) {
        this.#sendFrame(bytes, first, index, shift);
        shift += step;
        first = index;
        hasSlice = false;
      }
      if (isSlice(kind)) hasSlice = true;
    }
    this.#sendFrame(bytes, first, units.count, shift);
  }

  /** Something of the stream was lost: slices of a frame that began before are of no use. */
  damaged(): void {
    this.#isDamaged = true;
  }

  #setTime(pts: number, dts: number): void {
    const interval = this.#pts === undefined ? 0 : dts - this.#dts;
    this.#interval = interval > 0 && interval <= INTERVAL_MAX ? interval : this.#interval;
    this.#pts = pts;
    this.#dts = dts;
  }

  /** Sets the kind of each unit; returns how many frames there are. */
  #sortUnits(bytes: Buffer): number {
    const kindOf = this.#codec === "avc" ? avcUnitKind : hevcUnitKind;
    let frames = 0;
    for (let index = 0; index < units.count; index += 1) {
      const kind = kindOf(bytes, units.starts[index] ?? 0, units.ends[index] ?? 0);
      kinds[index] = kind;
      if (kind === UnitKind.FirstSlice || kind === UnitKind.FirstKeySlice) frames += 1;
    }
    return frames;
  }

  /** Sends the units `first…end` as a frame, `shift` (90 kHz) after its packet's time. */
  #sendFrame(bytes: Buffer, first: number, end: number, shift: number): void {
    let hasSlice = false;
    let isKey = false;
    let isInter = false;
    let hasSps = false;
    for (let index = first; index < end; index += 1) {
      const kind = kinds[index] ?? 0;
      hasSlice ||= isSlice(kind);
      isInter ||= kind === UnitKind.FirstSlice;
      isKey ||= kind === UnitKind.FirstKeySlice || kind === UnitKind.RecoveryPoint;
      hasSps ||= kind === UnitKind.Sps;
      if (kind === UnitKind.FirstSlice || kind === UnitKind.FirstKeySlice) this.#isDamaged = false;
      if (kind === UnitKind.Vps || kind === UnitKind.Sps || kind === UnitKind.Pps) {
        this.#sets.note(kind, bytes.subarray(units.starts[index] ?? 0, units.ends[index] ?? 0));
      }
    }
    // Parameter sets may come in a packet of their own.
    if (!hasSlice || this.#isDamaged) return;
    isKey ||= hasSps && this.#codec === "avc" && areIntra(bytes, first, end);
    const pts = (this.#pts ?? 0) + shift;
    const dts = this.#dts + shift;
    // A change within a group of pictures stays where it is: new headers there would stop decoders.
    const isChangeInside = !isKey && this.#sets.record !== undefined && !this.#sets.isKnown;
    const record = isChangeInside ? undefined : this.#sets.adopt();
    this.#sets.startFrame();
    if (record !== undefined) this.#track.config(this.#configTag(record), dts);
    // Without its sets no stream may begin here. A frame that is certainly no keyframe is sent all the same, as an RTMP
    // encoder's is: it shows that video comes, for which audio waits.
    if (this.#sets.record === undefined && (isKey || !isInter)) return;
    this.#track.frame(
      this.#frameTag(bytes, first, end, { isKey, keepsSets: isChangeInside, cts: ctsOf(pts, dts) }),
      dts,
    );
  }

  #configTag(record: Buffer): Buffer {
    if (this.#codec === "avc") return Buffer.concat([Buffer.from([0x17, 0, 0, 0, 0]), record]);
    const head = Buffer.alloc(HEVC_HEADER_BYTES);
    head[0] = Hevc.SequenceStart;
    head.writeUInt32BE(FourCc.Hevc, 1);
    return Buffer.concat([head, record]);
  }

  #frameTag(
    bytes: Buffer,
    first: number,
    end: number,
    { isKey, keepsSets, cts }: { readonly isKey: boolean; readonly keepsSets: boolean; readonly cts: number },
  ): Buffer {
    const isAvc = this.#codec === "avc";
    const headerBytes = isAvc ? AVC_HEADER_BYTES : cts === 0 ? HEVC_HEADER_BYTES : HEVC_HEADER_BYTES + 3;
    let length = headerBytes;
    for (let index = first; index < end; index += 1) {
      if (isKept(kinds[index] ?? 0, keepsSets)) length += LENGTH_BYTES + sizeOf(index);
    }
    const tag = Buffer.allocUnsafe(length);
    if (isAvc) {
      tag[0] = isKey ? 0x17 : 0x27;
      tag[1] = 1;
      tag.writeIntBE(cts, 2, 3);
    } else {
      tag[0] = (isKey ? Hevc.Key : Hevc.Inter) | (cts === 0 ? Hevc.CodedFramesX : Hevc.CodedFrames);
      tag.writeUInt32BE(FourCc.Hevc, 1);
      if (cts !== 0) tag.writeIntBE(cts, HEVC_HEADER_BYTES, 3);
    }
    let at = headerBytes;
    for (let index = first; index < end; index += 1) {
      if (!isKept(kinds[index] ?? 0, keepsSets)) continue;
      tag.writeUInt32BE(sizeOf(index), at);
      bytes.copy(tag, at + LENGTH_BYTES, units.starts[index], units.ends[index]);
      at += LENGTH_BYTES + sizeOf(index);
    }
    return tag;
  }
}

function sizeOf(index: number): number {
  return (units.ends[index] ?? 0) - (units.starts[index] ?? 0);
}

/** Composition time in milliseconds, from the rounded times, so that both come out whole. */
function ctsOf(pts: number, dts: number): number {
  const cts = Math.round(pts / TICKS_PER_MS) - Math.round(dts / TICKS_PER_MS);
  return Math.max(-COMPOSITION_TIME_MAX, Math.min(COMPOSITION_TIME_MAX, cts));
}

/**
 * Whether all slices of a frame refer to no other one. Hardware encoders with open groups of pictures begin each with such a
 * frame behind its parameter sets, with no mark that decoding can begin there.
 */
function areIntra(bytes: Buffer, first: number, end: number): boolean {
  for (let index = first; index < end; index += 1) {
    if (!isSlice(kinds[index] ?? 0)) continue;
    if (!isIntraSlice(bytes, units.starts[index] ?? 0, units.ends[index] ?? 0)) return false;
  }
  return true;
}

function isSlice(kind: number): boolean {
  return kind === UnitKind.Slice || kind === UnitKind.FirstSlice || kind === UnitKind.FirstKeySlice;
}

/** Whether a unit that follows a slice begins the next frame. */
function beginsFrame(kind: number): boolean {
  return kind !== UnitKind.Slice && kind !== UnitKind.Other && kind !== UnitKind.Dropped;
}

function isKept(kind: number, keepsSets: boolean): boolean {
  if (kind === UnitKind.Dropped || kind === UnitKind.Delimiter) return false;
  return keepsSets || (kind !== UnitKind.Vps && kind !== UnitKind.Sps && kind !== UnitKind.Pps);
}
