import type { AudioTrack } from "../track.ts";
import { type AudioFormat, ticksOf } from "./audio-format.ts";

const RATES = [48_000, 44_100, 32_000];
/** Bits a second in thousands, by half of frmsizecod (ETSI TS 102 366, table 4.13). */
const KILOBITS = [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640];
const AC3_SAMPLES = 1_536;
const BLOCK_SAMPLES = 256;
const BLOCKS = [1, 2, 3, 6];
const HEAD_BYTES = 6;
const DEPENDENT = 1;

function beginsAsAc3(bytes: Buffer, at: number): boolean {
  return bytes[at] === 0x0b && bytes[at + 1] === 0x77;
}

/** Bytes of an AC-3 frame; -1 where its header is not valid. */
function ac3Bytes(bytes: Buffer, at: number): number {
  const codes = bytes[at + 4] ?? 0;
  const kilobits = KILOBITS[(codes & 0x3f) >> 1];
  if (kilobits === undefined) return -1;
  switch (codes >> 6) {
    case 0:
      return kilobits * 4;
    case 1:
      return 2 * (Math.floor((kilobits * 320) / 147) + (codes & 1));
    case 2:
      return kilobits * 6;
    default:
      return -1;
  }
}

/** AC-3 (ETSI TS 102 366, clause 4). */
export class Ac3Format implements AudioFormat {
  frameBytes(bytes: Buffer, at: number, end: number): number {
    if (at + HEAD_BYTES > end) return at + 2 > end || beginsAsAc3(bytes, at) ? 0 : -1;
    if (!beginsAsAc3(bytes, at)) return -1;
    const total = ac3Bytes(bytes, at);
    return total > 0 && at + total > end ? 0 : total;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    track.frame(bytes, at, end, ticksOf(AC3_SAMPLES, RATES[(bytes[at + 4] ?? 0) >> 6] ?? 48_000));
  }
}

/** E-AC-3 (ETSI TS 102 366, annex E): an independent frame, with the dependent ones that follow in the same packet. */
export class Eac3Format implements AudioFormat {
  frameBytes(bytes: Buffer, at: number, end: number): number {
    const first = eac3Bytes(bytes, at, end);
    if (first <= 0) return first;
    let total = first;
    for (let next = at + total; next + HEAD_BYTES <= end && isDependent(bytes, next); next = at + total) {
      const more = eac3Bytes(bytes, next, end);
      if (more <= 0) break;
      total += more;
    }
    return total;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    const codes = bytes[at + 4] ?? 0;
    const rate = codes >> 6;
    const half = (codes >> 4) & 3;
    // Reduced rates have a code of their own, and always six blocks.
    const sampleRate = rate === 3 ? (RATES[half] ?? 48_000) / 2 : (RATES[rate] ?? 48_000);
    const blocks = rate === 3 ? 6 : (BLOCKS[half] ?? 6);
    track.frame(bytes, at, end, ticksOf(BLOCK_SAMPLES * blocks, sampleRate));
  }
}

function isDependent(bytes: Buffer, at: number): boolean {
  return beginsAsAc3(bytes, at) && (bytes[at + 2] ?? 0) >> 6 === DEPENDENT;
}

function eac3Bytes(bytes: Buffer, at: number, end: number): number {
  if (at + HEAD_BYTES > end) return at + 2 > end || beginsAsAc3(bytes, at) ? 0 : -1;
  if (!beginsAsAc3(bytes, at)) return -1;
  const total = 2 * ((((bytes[at + 2] ?? 0) & 7) << 8) | (bytes[at + 3] ?? 0)) + 2;
  if (total < HEAD_BYTES) return -1;
  return at + total > end ? 0 : total;
}
