import { parseAudioSpecificConfig } from "../../protocol/flv/audio/aac-config.ts";
import { type AudioFrameFormat, readAc3Header, readMpegHeader } from "../../protocol/flv/audio/audio-frame-format.ts";
import type { AudioCodec } from "../../protocol/flv/fourcc.ts";

/** Opus is always decoded at this rate, in hertz (RFC 7845, 5.1). */
const OPUS_RATE = 48_000;
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
    case "eac3":
      return readAc3Header(codec, frame, 0);
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
