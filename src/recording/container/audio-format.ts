import { parseAudioSpecificConfig } from "../../protocol/flv/audio/aac-config.ts";
import { type AudioFrameFormat, readMpegHeader } from "../../protocol/flv/audio/audio-frame-format.ts";
import type { AudioCodec } from "../../protocol/flv/fourcc.ts";

/** Opus is always decoded at this rate, in hertz (RFC 7845, 5.1). */
const OPUS_RATE = 48_000;
const AC3_RATES = [48_000, 44_100, 32_000];
/** Full-bandwidth channels by `acmod` (ETSI TS 102 366, table 4.3). */
const AC3_CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
const AC3_SYNC = 0x0b_77;
const FLAC_MARKER = "fLaC";
/** Marker and header of a metadata block, before STREAMINFO. */
const FLAC_HEAD_BYTES = 8;
const STREAMINFO_BYTES = 34;

/**
 * Returns rate and channels of an audio track, from its configuration or its first frame. Undefined where neither can
 * be read, and for codecs that have no form in MP4.
 */
export function audioFormatOf(
  codec: AudioCodec,
  config: Buffer | undefined,
  frame: Buffer,
): AudioFrameFormat | undefined {
  switch (codec) {
    case "aac":
      return aacFormat(config);
    case "opus":
      return { sampleRate: OPUS_RATE, channels: config?.[9] ?? 2 };
    case "mp3":
      return readMpegHeader(frame, 0);
    case "flac":
      return flacFormat(config);
    case "ac3":
      return ac3Format(frame, (frame[6] ?? 0) >> 5, hasAc3Lfe(frame));
    case "eac3":
      return ac3Format(frame, ((frame[4] ?? 0) >> 1) & 7, ((frame[4] ?? 0) & 1) === 1);
    default:
      return undefined;
  }
}

/** Returns a FLAC configuration that begins with its marker: encoders send it with and without. */
export function flacConfig(config: Buffer): Buffer {
  if (config.toString("latin1", 0, 4) === FLAC_MARKER) return config;
  const head = Buffer.from([0x80, 0, 0, STREAMINFO_BYTES]);
  return Buffer.concat([Buffer.from(FLAC_MARKER, "latin1"), head, config]);
}

function aacFormat(config: Buffer | undefined): AudioFrameFormat | undefined {
  const parsed = config === undefined ? undefined : parseAudioSpecificConfig(config);
  return parsed === undefined ? undefined : { sampleRate: parsed.sampleRate, channels: Math.max(1, parsed.channels) };
}

/** STREAMINFO: 10 bytes of sizes, then 20 bits of rate and 3 bits of channels less one (RFC 9639, 8.2). */
function flacFormat(config: Buffer | undefined): AudioFrameFormat | undefined {
  if (config === undefined) return undefined;
  const whole = flacConfig(config);
  if (whole.length < FLAC_HEAD_BYTES + STREAMINFO_BYTES) return undefined;
  const bits = whole.readUInt32BE(FLAC_HEAD_BYTES + 10);
  const sampleRate = bits >>> 12;
  return sampleRate === 0 ? undefined : { sampleRate, channels: ((bits >>> 9) & 7) + 1 };
}

/** AC-3 and E-AC-3 have the rate's code at the same place (TS 102 366, 4.3 and E.1.2). */
function ac3Format(frame: Buffer, mode: number, hasLfe: boolean): AudioFrameFormat | undefined {
  if (frame.length < 8 || frame.readUInt16BE(0) !== AC3_SYNC) return undefined;
  const sampleRate = AC3_RATES[(frame[4] ?? 0) >> 6];
  const channels = (AC3_CHANNELS[mode] ?? 2) + (hasLfe ? 1 : 0);
  return sampleRate === undefined ? undefined : { sampleRate, channels };
}

/** `lfeon` follows the mix levels, which depend on the channels (4.3.2). */
function hasAc3Lfe(frame: Buffer): boolean {
  const mode = (frame[6] ?? 0) >> 5;
  const levels = ((mode & 1) === 1 && mode !== 1 ? 2 : 0) + ((mode & 4) === 4 ? 2 : 0) + (mode === 2 ? 2 : 0);
  return (((frame[6] ?? 0) >> (4 - levels)) & 1) === 1;
}
