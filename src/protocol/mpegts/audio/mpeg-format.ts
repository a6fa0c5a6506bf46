import type { AudioTrack } from "../track.ts";
import { type AudioFormat, ticksOf } from "./audio-format.ts";

const RATES = [44_100, 48_000, 32_000];
/** Thousands of bits a second by the header's code for the layer (ISO/IEC 11172-3, 2.4.2.3, and 13818-3). */
const MPEG_1_KILOBITS: Readonly<Record<number, readonly number[]>> = {
  3: [0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448],
  2: [0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384],
  1: [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
};
const LOW_KILOBITS = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160];
const MPEG_2_KILOBITS: Readonly<Record<number, readonly number[]>> = {
  3: [0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256],
  2: LOW_KILOBITS,
  1: LOW_KILOBITS,
};
const Layer = { I: 3, III: 1 } as const;
const HEAD_BYTES = 4;

type Header = {
  readonly layer: number;
  readonly bytes: number;
  readonly sampleRate: number;
  readonly samples: number;
};

/**
 * MPEG audio of layer III (MP3). RTMP has no form for the other layers: their frames are passed over whole, because what
 * looks like a header of layer III is in many of them.
 */
export class MpegFormat implements AudioFormat {
  frameBytes(bytes: Buffer, at: number, end: number): number {
    if (at + HEAD_BYTES > end) return at + 2 > end || beginsAsMpeg(bytes, at) ? 0 : -1;
    const total = readHeader(bytes, at)?.bytes ?? -1;
    return total > 0 && at + total > end ? 0 : total;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    const header = readHeader(bytes, at);
    if (header?.layer === Layer.III) track.frame(bytes, at, end, ticksOf(header.samples, header.sampleRate));
  }
}

function beginsAsMpeg(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0xff && ((bytes[at + 1] ?? 0) & 0xe0) === 0xe0;
}

function readHeader(bytes: Buffer, at: number): Header | undefined {
  if (!beginsAsMpeg(bytes, at)) return undefined;
  const second = bytes[at + 1] ?? 0;
  const third = bytes[at + 2] ?? 0;
  const version = (second >> 3) & 3;
  const rate = RATES[(third >> 2) & 3];
  const layer = (second >> 1) & 3;
  const isFirst = version === 3;
  const kilobits = (isFirst ? MPEG_1_KILOBITS : MPEG_2_KILOBITS)[layer]?.[third >> 4];
  if (version === 1 || rate === undefined || !kilobits) return undefined;
  const sampleRate = isFirst ? rate : version === 2 ? rate / 2 : rate / 4;
  const samples = layer === Layer.I ? 384 : layer === Layer.III && !isFirst ? 576 : 1_152;
  // Layer I counts in slots of four bytes.
  const slotBytes = layer === Layer.I ? 4 : 1;
  const slots = Math.floor((samples * 125 * kilobits) / sampleRate / slotBytes) + ((third >> 1) & 1);
  return { layer, bytes: slots * slotBytes, sampleRate, samples };
}
