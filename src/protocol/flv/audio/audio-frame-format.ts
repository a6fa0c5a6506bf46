import type { AudioTag } from "./audio-tag.ts";

/** The audio format that frames carry where no configuration does. */
export type AudioFrameFormat = { readonly sampleRate: number; readonly channels: number };

const FLAG_RATES = [5_512, 11_025, 22_050, 44_100];
/** MPEG-1, by sampling_frequency; half of it for MPEG-2, a quarter for 2.5 (ISO/IEC 11172-3, 2.4.2.3). */
const MPEG_RATES = [44_100, 48_000, 32_000];
/** Values of SoundFormat whose rate FLV's flags cannot express. */
const FIXED: Readonly<Record<number, AudioFrameFormat>> = {
  4: { sampleRate: 16_000, channels: 1 },
  5: { sampleRate: 8_000, channels: 1 },
  7: { sampleRate: 8_000, channels: 1 },
  8: { sampleRate: 8_000, channels: 1 },
  11: { sampleRate: 16_000, channels: 1 },
};

/** Reads the format of a frame that needs no configuration; undefined where it does not say. */
export function readAudioFrameFormat(
  { codec, form, bodyOffset }: AudioTag,
  payload: Buffer,
): AudioFrameFormat | undefined {
  if (codec === "mp3") return readMpegHeader(payload, bodyOffset);
  if (form !== "legacy" || codec === "aac" || codec === "opus") return undefined;
  const first = payload[0] ?? 0;
  const fixed = FIXED[first >> 4];
  if (fixed !== undefined) return (first & 1) === 0 ? fixed : { ...fixed, channels: 2 };
  return { sampleRate: FLAG_RATES[(first >> 2) & 3] ?? 0, channels: (first & 1) + 1 };
}

/** Reads the header of an MPEG audio frame: 48 kHz has no place in FLV's flags. */
export function readMpegHeader(payload: Buffer, at: number): AudioFrameFormat | undefined {
  const [sync, version, rates, mode] = [payload[at], payload[at + 1] ?? 0, payload[at + 2] ?? 0, payload[at + 3] ?? 0];
  if (sync !== 0xff || (version & 0xe0) !== 0xe0) return undefined;
  const rate = MPEG_RATES[(rates >> 2) & 3];
  const versionBits = (version >> 3) & 3;
  if (rate === undefined || versionBits === 1) return undefined;
  const divisor = versionBits === 3 ? 1 : versionBits === 2 ? 2 : 4;
  return { sampleRate: rate / divisor, channels: mode >> 6 === 3 ? 1 : 2 };
}
