import { codecName } from "../../../../src/api-contract/codec-names.ts";
import type { Ingest } from "../../base/model.ts";
import { formatNumber } from "../../text/format.ts";
import { t } from "../../text/text.ts";

const nameOf = (codec: string | undefined): string => (codec === undefined ? "" : codecName(codec));

/** Joins the parts that are not empty. A number stays on one line with its unit. */
const joined = (parts: readonly string[]): string =>
  parts
    .filter((part) => part !== "")
    .map((part) => part.replaceAll(" ", "\u00a0"))
    .join("\u00a0· ");

/** Returns `1920×1080 · 30 fps · H.264`, as far as it is known. */
export function videoText({ width, height, frameRate, videoCodec, keyframeIntervalSeconds }: Ingest): string {
  return joined([
    width === undefined || height === undefined ? "" : `${width}×${height}`,
    frameRate === undefined ? "" : t().encoder.fps(formatNumber(frameRate, 1)),
    nameOf(videoCodec),
    keyframeIntervalSeconds === undefined
      ? ""
      : `${t().encoder.keyframes} ${t().encoder.keyframeEvery(formatNumber(keyframeIntervalSeconds, 1))}`,
  ]);
}

/** Returns `AAC · 48 kHz · stereo`, as far as it is known. */
export function audioText({ audioCodec, sampleRate, channels }: Ingest): string {
  return joined([
    nameOf(audioCodec),
    sampleRate === undefined ? "" : `${formatNumber(sampleRate / 1_000, 1)} kHz`,
    channels === undefined ? "" : t().encoder.audioChannels(channels),
  ]);
}
