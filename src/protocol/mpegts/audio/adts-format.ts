import { parseAudioSpecificConfig } from "../../flv/audio/aac-config.ts";
import { adtsConfig, adtsFrameBytes, beginsAsAdts } from "../../flv/audio/adts.ts";
import type { AudioTrack } from "../track.ts";
import { type AudioFormat, ticksOf } from "./audio-format.ts";

const HEADER_BYTES = 7;
const CHECKSUM_BYTES = 2;
const FRAME_SAMPLES = 1_024;

/**
 * AAC in ADTS frames (ISO/IEC 14496-3, 1.A.2). A change of the configuration counts when two frames in succession say
 * the same: one alone is a damaged header.
 */
export class AdtsFormat implements AudioFormat {
  #config: number | undefined;
  #duration = 0;
  #candidate: number | undefined;
  #held: Buffer | undefined;

  frameBytes(bytes: Buffer, at: number, end: number): number {
    if (at + HEADER_BYTES > end) return at + 2 > end || beginsAsAdts(bytes, at) ? 0 : -1;
    if (!beginsAsAdts(bytes, at)) return -1;
    const total = adtsFrameBytes(bytes, at);
    if (total <= headerBytesAt(bytes, at)) return -1;
    return at + total > end ? 0 : total;
  }

  read(bytes: Buffer, at: number, end: number, track: AudioTrack): void {
    const config = adtsConfig(bytes, at);
    const from = at + headerBytesAt(bytes, at);
    if (config === undefined) return;
    if (config === this.#config) {
      this.#forget();
      return track.frame(bytes, from, end, this.#duration);
    }
    if (this.#config !== undefined && config !== this.#candidate) {
      this.#candidate = config;
      this.#held = Buffer.from(bytes.subarray(from, end));
      return;
    }
    const body = Buffer.alloc(2);
    body.writeUInt16BE(config);
    const sampleRate = parseAudioSpecificConfig(body)?.coreSampleRate;
    if (sampleRate === undefined) return;
    const held = this.#held;
    this.#config = config;
    this.#duration = ticksOf(FRAME_SAMPLES, sampleRate);
    this.#forget();
    track.config(body);
    if (held !== undefined) track.frame(held, 0, held.length, this.#duration);
    track.frame(bytes, from, end, this.#duration);
  }

  #forget(): void {
    this.#candidate = undefined;
    this.#held = undefined;
  }
}

function headerBytesAt(bytes: Buffer, at: number): number {
  return ((bytes[at + 1] ?? 0) & 1) === 1 ? HEADER_BYTES : HEADER_BYTES + CHECKSUM_BYTES;
}
