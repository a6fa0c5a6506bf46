import type { AudioTrack } from "../track.ts";
import { type AudioFormat, ticksOf } from "./audio-format.ts";

const SAMPLE_RATE = 48_000;
/** The usual delay of an encoder, in samples, where the stream does not say. */
const PRE_SKIP = 312;
const STEREO = 2;
/** 2.5 to 20 ms for the CELT codes, 10 to 60 for SILK: RFC 6716, table 2, in samples. */
const SILK_SAMPLES = [480, 960, 1_920, 2_880];
const HYBRID_SAMPLES = [480, 960];
const CELT_SAMPLES = [120, 240, 480, 960];
/** 120 ms. */
const PACKET_SAMPLES_MAX = 5_760;

type Unit = { readonly from: number; readonly end: number; readonly startTrim: number };

/** Opus in transport streams (ETSI TS 103 491, annex D; opus-codec.org's "Opus in MPEG-TS"). */
export class OpusFormat implements AudioFormat {
  readonly #channels: number;
  #hasConfig = false;

  /** `channelConfig`: channel_config_code of the descriptor; undefined where there is none. */
  constructor(channelConfig: number | undefined) {
    const isPlain = channelConfig !== undefined && channelConfig >= 1 && channelConfig <= 8;
    this.#channels = isPlain ? channelConfig : STEREO;
  }

  frameBytes(bytes: Buffer, at: number, end: number): number {
    const unit = readUnit(bytes, at, end);
    if (unit === undefined) return 0;
    return unit === "none" ? -1 : unit.end - at;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    const unit = readUnit(bytes, at, end);
    if (unit === undefined || unit === "none" || unit.from >= unit.end) return;
    if (!this.#hasConfig) track.config(this.#head(unit.startTrim === 0 ? PRE_SKIP : unit.startTrim));
    this.#hasConfig = true;
    track.frame(bytes, unit.from, unit.end, ticksOf(samplesOf(bytes, unit.from), SAMPLE_RATE));
  }

  /** The identification header of RFC 7845, 5.1. More than two channels have the Vorbis order of mapping family 1. */
  #head(preSkip: number): Buffer {
    const head = Buffer.alloc(19);
    head.write("OpusHead", "latin1");
    head[8] = 1;
    head[9] = this.#channels;
    head.writeUInt16LE(preSkip, 10);
    head.writeUInt32LE(SAMPLE_RATE, 12);
    const mapping = MAPPINGS[this.#channels];
    if (mapping === undefined) return head;
    head[18] = 1;
    return Buffer.concat([head, Buffer.from(mapping)]);
  }
}

/** Streams, coupled streams, and the order of channels, of three to eight channels (RFC 7845, 5.1.1.2). */
const MAPPINGS: Readonly<Record<number, readonly number[]>> = {
  3: [2, 1, 0, 2, 1],
  4: [2, 2, 0, 1, 2, 3],
  5: [3, 2, 0, 4, 1, 2, 3],
  6: [4, 2, 0, 4, 1, 2, 3, 5],
  7: [4, 3, 0, 4, 1, 2, 3, 5, 6],
  8: [5, 3, 0, 6, 1, 2, 3, 4, 5, 7],
};

/** Reads a control header; undefined where less than the whole unit is there. */
function readUnit(bytes: Buffer, at: number, end: number): Unit | "none" | undefined {
  if (at + 1 > end) return undefined;
  if (bytes[at] !== 0x7f) return "none";
  if (at + 2 > end) return undefined;
  const flags = bytes.readUInt8(at + 1);
  if ((flags & 0xe0) !== 0xe0) return "none";
  let next = at + 2;
  let size = 0;
  for (let byte = 255; byte === 255; next += 1) {
    if (next >= end) return undefined;
    byte = bytes.readUInt8(next);
    size += byte;
  }
  let startTrim = 0;
  if ((flags & 0x10) !== 0) {
    if (next + 2 > end) return undefined;
    startTrim = bytes.readUInt16BE(next) & 0x1fff;
    next += 2;
  }
  if ((flags & 0x08) !== 0) next += 2;
  if ((flags & 0x04) !== 0) {
    if (next >= end) return undefined;
    next += 1 + bytes.readUInt8(next);
  }
  return next + size > end ? undefined : { from: next, end: next + size, startTrim };
}

/** Samples of a packet, by its first bytes (RFC 6716, 3.1). */
function samplesOf(bytes: Buffer, at: number): number {
  const toc = bytes[at] ?? 0;
  const config = toc >> 3;
  const samples =
    config < 12 ? SILK_SAMPLES[config & 3] : config < 16 ? HYBRID_SAMPLES[config & 1] : CELT_SAMPLES[config & 3];
  const code = toc & 3;
  const frames = code === 0 ? 1 : code < 3 ? 2 : (bytes[at + 1] ?? 0) & 0x3f;
  return Math.min((samples ?? 960) * frames, PACKET_SAMPLES_MAX);
}
