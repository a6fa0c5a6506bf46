import { parseAudioSpecificConfig } from "../../flv/audio/aac-config.ts";
import { BitReader } from "../../flv/bit-reader.ts";
import type { AudioTrack } from "../track.ts";
import { type AudioFormat, ticksOf } from "./audio-format.ts";

/** 0x2b7 in eleven bits, and the length in thirteen. */
const HEAD_BYTES = 3;
const FRAME_SAMPLES = 1_024;
const CONFIG_BYTES_MAX = 64;

/** `subFrames`: 64 at most. */
type MuxConfig = { readonly subFrames: number; readonly duration: number };

/**
 * AAC in LATM/LOAS frames (ISO/IEC 14496-3, 1.7), in the forms that encoders send: audioMuxVersion 0 or 1, one program,
 * one layer. Other forms are passed over.
 */
export class LatmFormat implements AudioFormat {
  #config: MuxConfig | undefined;
  #asc: Buffer = Buffer.alloc(0);

  frameBytes(bytes: Buffer, at: number, end: number): number {
    if (at + HEAD_BYTES > end) return 0;
    const head = bytes.readUIntBE(at, HEAD_BYTES);
    if (head >> 13 !== 0x2b7) return -1;
    const total = HEAD_BYTES + (head & 0x1fff);
    return at + total > end ? 0 : total;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    const element = bytes.subarray(at + HEAD_BYTES, end);
    const reader = new BitReader(element);
    // useSameStreamMux
    if (!reader.flag() && !this.#readConfig(reader, element, track)) return;
    const config = this.#config;
    if (config === undefined) return;
    for (let index = 0; index < config.subFrames; index += 1) {
      let size = 0;
      for (let byte = 255; byte === 255; ) {
        byte = reader.bits(8);
        size += byte;
      }
      if (reader.isExhausted || size === 0 || size * 8 > reader.bitsLeft) return;
      const frame = copyBits(element, element.length * 8 - reader.bitsLeft, size * 8);
      skip(reader, size);
      track.frame(frame, 0, frame.length, config.duration);
    }
  }

  /** Reads StreamMuxConfig (1.7.3.2). Returns false where its form is not supported. */
  #readConfig(reader: BitReader, element: Buffer, track: AudioTrack): boolean {
    this.#config = undefined;
    const isVersion1 = reader.flag();
    // audioMuxVersionA is for forms that are not defined yet.
    if (isVersion1 && reader.flag()) return false;
    if (isVersion1) readValue(reader); // taraBufferFullness
    const isSameFraming = reader.flag();
    const subFrames = reader.bits(6) + 1;
    const isSingle = reader.bits(4) === 0 && reader.bits(3) === 0;
    if (!isSameFraming || !isSingle) return false;
    const ascBits = isVersion1 ? readValue(reader) : undefined;
    const start = element.length * 8 - reader.bitsLeft;
    const asc = ascBits === undefined ? readAsc(element, start) : cutAsc(element, start, ascBits);
    if (asc === undefined) return false;
    for (let bit = 0; bit < asc.bits; bit += 1) reader.bit();
    if (reader.bits(3) !== 0) return false; // frameLengthType
    reader.bits(8); // latmBufferFullness
    const hasOtherData = reader.flag();
    if (hasOtherData && isVersion1)
      readValue(reader); // otherDataLenBits
    else if (hasOtherData) {
      for (let isMore = true; isMore && !reader.isExhausted; ) {
        isMore = reader.flag();
        reader.bits(8);
      }
    }
    if (reader.flag()) reader.bits(8); // crcCheckSum
    if (reader.isExhausted) return false;
    if (!asc.body.equals(this.#asc)) {
      this.#asc = asc.body;
      track.config(asc.body);
    }
    this.#config = { subFrames, duration: ticksOf(FRAME_SAMPLES, asc.coreSampleRate) };
    return true;
  }
}

type Asc = { readonly body: Buffer; readonly bits: number; readonly coreSampleRate: number };

/**
 * AudioSpecificConfig at a bit of `bytes`, whose length nothing tells: it is read to know it. Undefined for program
 * configurations and codecs other than AAC.
 */
function readAsc(bytes: Buffer, start: number): Asc | undefined {
  const all = copyBits(bytes, start, Math.min(CONFIG_BYTES_MAX * 8, bytes.length * 8 - start));
  const config = parseAudioSpecificConfig(all);
  if (config === undefined) return undefined;
  const reader = new BitReader(all);
  const objectType = reader.bits(5);
  if (reader.bits(4) === 15) reader.bits(24);
  const channels = reader.bits(4);
  let core = objectType;
  if (objectType === 5 || objectType === 29) {
    if (reader.bits(4) === 15) reader.bits(24);
    core = reader.bits(5);
  }
  if (core < 1 || core > 4 || channels === 0) return undefined;
  reader.bit(); // frameLengthFlag
  if (reader.flag()) reader.bits(14); // coreCoderDelay
  reader.bit(); // extensionFlag: nothing follows for these object types
  const bits = all.length * 8 - reader.bitsLeft;
  if (reader.isExhausted) return undefined;
  const body = copyBits(all, 0, bits);
  const own = parseAudioSpecificConfig(body);
  return own === undefined ? undefined : { body, bits, coreSampleRate: own.coreSampleRate };
}

/** AudioSpecificConfig of a length that version 1 tells; undefined where it cannot be read. */
function cutAsc(bytes: Buffer, start: number, bits: number): Asc | undefined {
  if (bits > CONFIG_BYTES_MAX * 8 || start + bits > bytes.length * 8) return undefined;
  const body = copyBits(bytes, start, bits);
  const config = parseAudioSpecificConfig(body);
  return config === undefined ? undefined : { body, bits, coreSampleRate: config.coreSampleRate };
}

/** LatmGetValue (1.7.3.1): the number of bytes less one, and the bytes. */
function readValue(reader: BitReader): number {
  return reader.bits((reader.bits(2) + 1) * 8);
}

/** Copies bits to the start of a buffer; the last byte is filled with zeros. */
function copyBits(bytes: Buffer, start: number, count: number): Buffer {
  const copy = Buffer.alloc(Math.ceil(Math.max(0, count) / 8));
  const shift = start & 7;
  let at = start >> 3;
  for (let index = 0; index < copy.length; index += 1, at += 1) {
    copy[index] = ((bytes[at] ?? 0) << shift) | ((bytes[at + 1] ?? 0) >> (8 - shift));
  }
  const unused = copy.length * 8 - count;
  if (unused > 0 && copy.length > 0) copy[copy.length - 1] = (copy[copy.length - 1] ?? 0) & (0xff << unused);
  return copy;
}

function skip(reader: BitReader, bytes: number): void {
  for (let index = 0; index < bytes; index += 1) reader.bits(8);
}
