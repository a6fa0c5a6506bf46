import { limitsOf } from "./target-presets.ts";

/** What an encoder is set to, in the order in which encoders ask for it. */
export const ENCODER_SETTINGS = [
  "videoCodec",
  "height",
  "frameRate",
  "videoBytesPerSecond",
  "keyframeSeconds",
  "bFrames",
  "audioCodec",
  "audioBytesPerSecond",
  "sampleRate",
  "audioChannels",
] as const;
type EncoderSetting = (typeof ENCODER_SETTINGS)[number];

/** One setting. `targetIds`: the targets whose limit sets it; none where it is what encoders usually use. */
type Recommendation = {
  readonly setting: EncoderSetting;
  /** A codec in the words of `ingest.videoCodec` and `audioCodec`, else a number: lines, bytes a second, seconds, hertz. */
  readonly value: string | number;
  readonly targetIds: readonly number[];
};

export type RecommendedSettings = {
  readonly settings: readonly Recommendation[];
  /** Codecs that some encoders offer, and the targets that do not take them. */
  readonly refusedCodecs: readonly { readonly codec: string; readonly targetIds: readonly number[] }[];
  /** Settings for which no value suits every target, and the targets that disagree. */
  readonly conflicts: readonly Conflict[];
};
type Conflict = { readonly setting: EncoderSetting; readonly targetIds: readonly number[] };

type Chosen = { readonly targetId: number; readonly targetName: string };
/** What one target takes of a setting. */
type Limit<Value> = { readonly targetId: number; readonly value: Value };

/** What encoders usually use, where no target asks for less. Every platform takes H.264 and AAC. */
const USUAL = {
  videoCodec: "avc",
  height: 1_080,
  frameRate: 60,
  videoBytesPerSecond: 750_000,
  keyframeSeconds: 2,
  bFrames: 2,
  audioCodec: "aac",
  audioBytesPerSecond: 20_000,
  sampleRate: 48_000,
  audioChannels: 2,
} as const satisfies Readonly<Record<EncoderSetting, string | number>>;
/** Codecs whose refusal is worth knowing before going live. */
const NEWER_CODECS = ["hevc", "av1"] as const;

/** Encoder settings that every one of these targets takes: for each the strictest of their limits, as far as they are known. */
export function recommendedSettings(targets: readonly Chosen[]): RecommendedSettings {
  const limits = targets.map(({ targetId, targetName }) => ({ targetId, limits: limitsOf(targetName) }));
  const of = <Value>(read: (of: ReturnType<typeof limitsOf>) => Value | undefined): Limit<Value>[] =>
    limits.flatMap(({ targetId, limits: known }) => {
      const value = read(known);
      return value === undefined ? [] : [{ targetId, value }];
    });
  const videoCodecs = of(({ videoCodecs }) => videoCodecs);
  const audioCodecs = of(({ audioCodecs }) => audioCodecs);
  const sampleRates = of((known) => known.sampleRates);
  const found = [
    oneOf("videoCodec", videoCodecs),
    atMost(
      "height",
      of(({ heightMax }) => heightMax),
    ),
    atMost(
      "frameRate",
      of(({ frameRateMax }) => frameRateMax),
    ),
    atMost(
      "videoBytesPerSecond",
      of(({ videoBytesPerSecondMax }) => videoBytesPerSecondMax),
    ),
    atMost(
      "keyframeSeconds",
      of((known) => known.keyframeSecondsAdvised ?? known.keyframeSecondsMax),
      true,
    ),
    atMost(
      "bFrames",
      of(({ bFramesMax }) => bFramesMax),
    ),
    oneOf("audioCodec", audioCodecs),
    atMost(
      "audioBytesPerSecond",
      of(({ audioBytesPerSecondMax }) => audioBytesPerSecondMax),
    ),
    oneOf("sampleRate", sampleRates),
    atMost(
      "audioChannels",
      of(({ audioChannelsMax }) => audioChannelsMax),
    ),
  ];
  const refusedCodecs = NEWER_CODECS.map((codec) => ({
    codec,
    targetIds: videoCodecs.filter(({ value }) => !value.includes(codec)).map(({ targetId }) => targetId),
  })).filter(({ targetIds }) => targetIds.length > 0);
  return {
    settings: found.filter(isRecommended),
    refusedCodecs,
    conflicts: found.filter((each) => !isRecommended(each)),
  };
}

function isRecommended(found: Recommendation | Conflict): found is Recommendation {
  return "value" in found;
}

/**
 * The least of what the targets allow, and no more than usual. `isAsked`: the targets ask for this very value, so theirs counts
 * also where it is more.
 */
function atMost(setting: EncoderSetting, limits: readonly Limit<number>[], isAsked = false): Recommendation {
  const usual = Number(USUAL[setting]);
  const least = Math.min(...limits.map(({ value }) => value));
  if (limits.length === 0 || (!isAsked && least > usual)) return { setting, value: usual, targetIds: [] };
  return { setting, value: least, targetIds: limits.filter(({ value }) => value === least).map(idOf) };
}

/** What all targets take, the usual value if possible; without a value where there is nothing. */
function oneOf<Value extends string | number>(
  setting: EncoderSetting,
  limits: readonly Limit<readonly Value[]>[],
): Recommendation | Conflict {
  const usual = USUAL[setting];
  const isTaken = (value: string | number) => limits.every((limit) => limit.value.some((each) => each === value));
  const value = isTaken(usual) ? usual : limits[0]?.value.find(isTaken);
  if (value === undefined) return { setting, targetIds: limits.map(idOf) };
  // A target that takes nothing else sets it.
  const setters = limits.filter((limit) => limit.value.length === 1 || value !== usual);
  return { setting, value, targetIds: setters.map(idOf) };
}

const idOf = ({ targetId }: { readonly targetId: number }): number => targetId;
