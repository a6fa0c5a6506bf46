import type { AudioTag } from "./audio-tag.ts";

/** The audio format that frames carry where no configuration does. */
export type AudioFrameFormat = { readonly sampleRate: number; readonly channels: number };

const FLAG_RATES = [5_512, 11_025, 22_050, 44_100];
/** MPEG-1, by sampling_frequency; half of it for MPEG-2, a quarter for 2.5 (ISO/IEC 11172-3, 2.4.2.3). */
const MPEG_RATES = [44_100, 48_000, 32_000];
const AC3_RATES = [48_000, 44_100, 32_000];
/** Full-bandwidth channels by `acmod` (ETSI TS 102 366, table 4.3). */
const AC3_CHANNELS = [2, 1, 2, 3, 3, 4, 4, 5];
const AC3_SYNC = 0x0b_77;
const AC3_HEAD_BYTES = 8;
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
  if (codec === "ac3" || codec === "eac3") return readAc3Header(codec, payload, bodyOffset);
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

/** Reads the header of an AC-3 or E-AC-3 frame, which have the rate's code at the same place (TS 102 366, 4.3, E.1.2). */
export function readAc3Header(codec: "ac3" | "eac3", payload: Buffer, at: number): AudioFrameFormat | undefined {
  if (payload.length < at + AC3_HEAD_BYTES || payload.readUInt16BE(at) !== AC3_SYNC) return undefined;
  const sampleRate = AC3_RATES[payload.readUInt8(at + 4) >> 6];
  if (sampleRate === undefined) return undefined;
  const code = payload.readUInt8(at + (codec === "ac3" ? 6 : 4));
  const mode = codec === "ac3" ? code >> 5 : (code >> 1) & 7;
  const hasLfe = codec === "ac3" ? hasAc3Lfe(code) : (code & 1) === 1;
  return { sampleRate, channels: (AC3_CHANNELS[mode] ?? 2) + (hasLfe ? 1 : 0) };
}

/** `lfeon` follows the mix levels, which depend on the channels (4.3.2). */
function hasAc3Lfe(code: number): boolean {
  const mode = code >> 5;
  const levels = ((mode & 1) === 1 && mode !== 1 ? 2 : 0) + ((mode & 4) === 4 ? 2 : 0) + (mode === 2 ? 2 : 0);
  return ((code >> (4 - levels)) & 1) === 1;
}
