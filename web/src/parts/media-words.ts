import type { Ingest } from "../model.ts";
import { formatNumber } from "../text/format.ts";
import { t } from "../text/text.ts";

/** Codecs as people call them, by the API's names. */
const CODEC_NAMES: Readonly<Record<string, string>> = {
  avc: "H.264",
  hevc: "HEVC",
  av1: "AV1",
  vp9: "VP9",
  vp8: "VP8",
  vvc: "VVC",
  aac: "AAC",
  mp3: "MP3",
  opus: "Opus",
  flac: "FLAC",
  ac3: "AC-3",
  eac3: "E-AC-3",
  h263: "Sorenson H.263",
  vp6: "VP6",
  screen: "Screen Video",
  g711: "G.711",
  speex: "Speex",
  nellymoser: "Nellymoser",
  adpcm: "ADPCM",
  pcm: "PCM",
};

const codecName = (codec: string | undefined): string => (codec === undefined ? "" : (CODEC_NAMES[codec] ?? codec));

/** A number stays with its unit where a line is broken. */
const joined = (parts: readonly string[]): string =>
  parts
    .filter((part) => part !== "")
    .map((part) => part.replaceAll(" ", "\u00a0"))
    .join("\u00a0· ");

/** `1920×1080 · 30 fps · H.264`, as far as known. */
export function pictureText({ width, height, frameRate, videoCodec, keyframeIntervalSeconds }: Ingest): string {
  return joined([
    width === undefined || height === undefined ? "" : `${width}×${height}`,
    frameRate === undefined ? "" : t().encoder.fps(formatNumber(frameRate, 1)),
    codecName(videoCodec),
    keyframeIntervalSeconds === undefined
      ? ""
      : `${t().encoder.keyframes} ${t().encoder.keyframeEvery(formatNumber(keyframeIntervalSeconds, 1))}`,
  ]);
}

/** `AAC · 48 kHz · 2 ch`, as far as known. */
export function soundText({ audioCodec, sampleRate, channels }: Ingest): string {
  return joined([
    codecName(audioCodec),
    sampleRate === undefined ? "" : `${formatNumber(sampleRate / 1_000, 1)} kHz`,
    channels === undefined ? "" : `${channels} ch`,
  ]);
}
