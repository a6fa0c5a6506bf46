import type { PullVariant } from "../../control/channels/source.ts";

/** One of the streams that a master playlist offers. */
export type HlsVariant = PullVariant;

/** Names of audio codecs and of subtitles: what is none of them is video. */
const NO_VIDEO = /^(?:mp4a|mp3|ac-3|ec-3|ac-4|opus|flac|alac|dts[a-z]|stpp|wvtt)\b/i;
const H264 = /^avc[13]\b/i;
/** Baseline, Main, Extended and High, with 8 bits and 4:2:0: the first byte behind `avc1.`, as two hexadecimal digits. */
const H264_PROFILES = /^avc[13]\.(?:42|4d|58|64)/i;
/** The older way to write a profile: `avc1.66.30`. */
const DECIMAL_PROFILE = /^avc[13]\.\d+\.\d+$/i;
const RESOLUTION = /^(\d{1,5})x(\d{1,5})$/;
const CODECS_CHARACTERS_MAX = 100;

/** What the playlist says of a variant. */
export function variantSays(
  bitRate: number,
  { codecs, resolution }: { readonly codecs: string | undefined; readonly resolution: string | undefined },
): HlsVariant {
  const [, width, height] = RESOLUTION.exec(resolution ?? "") ?? [];
  const words = (codecs ?? "").replaceAll(/[^\w.,+-]/g, "").slice(0, CODECS_CHARACTERS_MAX);
  return {
    bitRate,
    ...(width === undefined || height === undefined ? {} : { width: Number(width), height: Number(height) }),
    ...(words === "" ? {} : { codecs: words }),
  };
}

/**
 * The variant of the highest bit rate among those that every platform takes: H.264, or what the playlist does not say.
 * Only where there is none it is one of another codec, and at last one of audio alone.
 */
export function bestVariant<Variant extends HlsVariant>(variants: readonly Variant[]): Variant | undefined {
  return variants.reduce<Variant | undefined>((left, right) => {
    const gain = left === undefined ? 1 : rankOf(right) - rankOf(left) || right.bitRate - left.bitRate;
    return gain > 0 ? right : left;
  }, undefined);
}

function rankOf({ codecs, width }: HlsVariant): number {
  const video = (codecs ?? "").split(",").filter((codec) => codec !== "" && !NO_VIDEO.test(codec));
  if (video.length === 0) return codecs === undefined || width !== undefined ? 2 : 0;
  return video.every(isTakenEverywhere) ? 2 : 1;
}

function isTakenEverywhere(codec: string): boolean {
  if (!H264.test(codec)) return false;
  return codec.length === "avc1".length || DECIMAL_PROFILE.test(codec) || H264_PROFILES.test(codec);
}
