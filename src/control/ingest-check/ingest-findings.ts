import type { TrackChoice } from "../../thread-protocol/channel-spec.ts";
import type { IngestSample, SrtLinkSample, StreamMeasures } from "../../thread-protocol/samples.ts";
import type { TargetLimits } from "../presets/target-preset.ts";

/**
 * What can be wrong with a stream, by what to change in its encoder: the closed list of the API's `ingest.warnings`,
 * except BACKUP_DIFFERS.
 */
export const INGEST_WARNING_CODES = [
  "VIDEO_CODEC_UNSUPPORTED",
  "AUDIO_CODEC_UNSUPPORTED",
  "VIDEO_MISSING",
  "VIDEO_FROZEN",
  "AUDIO_MISSING",
  "AUDIO_SILENT",
  "KEYFRAME_MISSING",
  "VIDEO_HEADER_MISSING",
  "AUDIO_HEADER_MISSING",
  "VIDEO_UNREADABLE",
  "AUDIO_UNREADABLE",
  "VIDEO_BITRATE_HIGH",
  "AUDIO_BITRATE_HIGH",
  "FRAME_RATE_HIGH",
  "PICTURE_TOO_LARGE",
  "KEYFRAME_INTERVAL_LONG",
  "B_FRAMES",
  "SAMPLE_RATE_UNSUPPORTED",
  "AUDIO_CHANNELS_TOO_MANY",
  "CLOCK_DRIFT",
  "CLOCK_WRONG",
  "KEY_TIDIED",
  "SRT_LOSS",
] as const;
export type FindingCode = (typeof INGEST_WARNING_CODES)[number];

/** A measure of a stream against a limit. */
export type Finding = {
  readonly code: FindingCode;
  /** What the stream has, in the unit of the limit; words where the limit is a list of words. */
  readonly found: number | string;
  /** What should be set instead. */
  readonly wanted: number | string;
  /**
   * True: beyond doubt. False: enough to keep an existing warning, so that it does not flicker, but not to begin one.
   */
  readonly isClear: boolean;
  /** It was watched for long enough before it was found: it is shown at once, and only as long as it lasts. */
  readonly isSteady?: boolean;
};

/** Above the limit times the first number a finding is clear; up to the limit times the second there is none. */
type Margin = readonly [clear: number, kept: number];
/** Encoders keep to a rate within some hundredths. */
const RATE_MARGIN: Margin = [1.05, 1];
/** Frame rates are counted over two seconds: one frame more or less is half a frame a second. */
const FRAME_RATE_MARGIN: Margin = [1.05, 1.03];
/** Two seconds are 2.002 in NTSC's time, and one frame more where an encoder counts differently. */
const KEYFRAME_MARGIN: Margin = [1.1, 1.05];
const EXACT: Margin = [1, 1];

/**
 * Seconds of video without a keyframe: where there was none yet, and where there was one. FFmpeg's default interval is
 * up to 10 s.
 */
const NO_KEYFRAME_SECONDS: Margin = [3, 1];
const NO_MORE_KEYFRAME_SECONDS: Margin = [12, 11];

/**
 * From the first value on a clock does harm within an hour (3.6 s), in millionths; above the second value a warning
 * stays.
 */
const DRIFT_PPM_CLEAR = 1_000;
const DRIFT_PPM_KEPT = 500;

function above(code: FindingCode, found: number | undefined, max: number | undefined, margin: Margin): Finding[] {
  if (found === undefined || max === undefined || found <= max * margin[1]) return [];
  return [{ code, found, wanted: max, isClear: found > max * margin[0] }];
}

function outside<Value extends string | number>(
  code: FindingCode,
  found: Value | undefined,
  allowed: readonly Value[] | undefined,
): Finding[] {
  if (found === undefined || allowed === undefined || allowed.includes(found)) return [];
  return [{ code, found, wanted: allowed.join(", "), isClear: true }];
}

/**
 * Keyframes further apart than this make viewers of any platform wait, in seconds. FFmpeg's default interval is as
 * long.
 */
const KEYFRAME_SECONDS_MAX = 10;
/** What every platform advises, in seconds. */
const KEYFRAME_SECONDS_ADVISED = 2;

/** Faults of the stream itself, whatever its targets. */
export function findIngestFaults(ingest: IngestSample): readonly Finding[] {
  const { measures, secondsWithoutVideo, keyRemoved } = ingest;
  return [
    ...findMissingTracks(ingest),
    ...above("KEYFRAME_INTERVAL_LONG", measures?.longestKeyframeSeconds, KEYFRAME_SECONDS_MAX, KEYFRAME_MARGIN).map(
      (finding) => ({ ...finding, wanted: KEYFRAME_SECONDS_ADVISED }),
    ),
    ...findFrozenVideo(secondsWithoutVideo),
    ...findSrtLoss(ingest.srt),
    ...findSilence(measures),
    ...findMissingKeyframe(measures),
    ...(measures?.lackHeader ?? []).map((kind) =>
      isThere(kind === "video" ? "VIDEO_HEADER_MISSING" : "AUDIO_HEADER_MISSING"),
    ),
    ...(measures?.unreadable ?? []).map((kind) => isThere(kind === "video" ? "VIDEO_UNREADABLE" : "AUDIO_UNREADABLE")),
    ...(measures?.isClockWrong === true
      ? [{ ...isThere("CLOCK_WRONG"), isSteady: true }]
      : findDrift(measures?.clockDriftPpm)),
    ...(keyRemoved === undefined
      ? []
      : [{ code: "KEY_TIDIED", found: keyRemoved.join(", "), wanted: 0, isClear: true, isSteady: true } as const]),
  ];
}

/**
 * A stream with only audio or only video. Hardly anybody intends that, even where no platform is known to need both.
 */
function findMissingTracks({ measures = {}, secondsWithoutVideo }: IngestSample): Finding[] {
  const { audioBytesPerSecond: audio, videoBytesPerSecond: video } = measures;
  const isVideoGone = video === 0 && secondsWithoutVideo === undefined && audio !== 0;
  return [
    ...(audio === 0 && video !== 0 && !isUnreadable(measures, "audio") ? [isThere("AUDIO_MISSING")] : []),
    ...(isVideoGone && !isUnreadable(measures, "video") ? [isThere("VIDEO_MISSING")] : []),
  ];
}

/** It comes, in a format that is not known: that is said, and not that it is missing. */
function isUnreadable({ unreadable = [] }: StreamMeasures, kind: "audio" | "video"): boolean {
  return unreadable.includes(kind);
}

function isThere(code: FindingCode): Finding {
  return { code, found: 0, wanted: 1, isClear: true };
}

/** No viewer can start to watch, or continue after a loss, on any platform. */
function findMissingKeyframe({ secondsWithoutKeyframe = 0, hasKeyframe }: StreamMeasures = {}): Finding[] {
  const [clear, kept] = hasKeyframe === false ? NO_KEYFRAME_SECONDS : NO_MORE_KEYFRAME_SECONDS;
  if (secondsWithoutKeyframe < kept) return [];
  const found = Math.round(secondsWithoutKeyframe);
  return [{ code: "KEYFRAME_MISSING", found, wanted: 2, isClear: secondsWithoutKeyframe >= clear }];
}

function findFrozenVideo(seconds: number | undefined): Finding[] {
  return seconds === undefined
    ? []
    : [{ code: "VIDEO_FROZEN", found: seconds, wanted: 0, isClear: true, isSteady: true }];
}

/** Audio that does not come at all is missing, not silent. */
function findSilence({ secondsSilent, audioBytesPerSecond }: StreamMeasures = {}): Finding[] {
  if (secondsSilent === undefined || audioBytesPerSecond === 0) return [];
  return [{ code: "AUDIO_SILENT", found: secondsSilent, wanted: 0, isClear: true, isSteady: true }];
}

/** A network that loses this share of packets is worth a warning where the latency is too short for it, in per cent. */
const SRT_LOSS_CLEAR = 1;
const SRT_LOSS_KEPT = 0.5;
/** Round trips that a lost packet needs to come again, even when its repetition is lost too. */
const SRT_ROUND_TRIPS = 4;
const SRT_LATENCY_MAX_MS = 8_000;
const SRT_LATENCY_STEP_MS = 100;

/**
 * Packets that never came in time, or will not where the latency is too short for the round trip: `wanted` is the
 * latency to set, in milliseconds.
 */
function findSrtLoss(srt: SrtLinkSample | undefined): Finding[] {
  if (srt === undefined) return [];
  const { lossPercent, droppedLately, latencyMs, rttMs = 0 } = srt;
  const neededMs = Math.max(SRT_ROUND_TRIPS * rttMs, droppedLately > 0 ? latencyMs * 1.5 : 0);
  const wanted = Math.min(SRT_LATENCY_MAX_MS, Math.ceil(neededMs / SRT_LATENCY_STEP_MS) * SRT_LATENCY_STEP_MS);
  if (wanted <= latencyMs || (droppedLately === 0 && lossPercent < SRT_LOSS_KEPT)) return [];
  const isClear = droppedLately > 0 || lossPercent >= SRT_LOSS_CLEAR;
  return [{ code: "SRT_LOSS", found: lossPercent, wanted, isClear }];
}

function findDrift(drift: number | undefined): Finding[] {
  if (drift === undefined || Math.abs(drift) <= DRIFT_PPM_KEPT) return [];
  return [{ code: "CLOCK_DRIFT", found: drift, wanted: 0, isClear: Math.abs(drift) > DRIFT_PPM_CLEAR }];
}

function findVideoFaults(ingest: IngestSample, limits: TargetLimits): Finding[] {
  const { videoCodec, width, height, frameRate, measures = {} } = ingest;
  const lines = width === undefined || height === undefined ? undefined : Math.min(width, height);
  const rate = measures.videoBytesPerSecond;
  const isAway = rate === 0 || ingest.secondsWithoutVideo !== undefined;
  const isMissing = limits.tracksNeeded?.includes("video") === true && isAway && !isUnreadable(measures, "video");
  return [
    ...outside("VIDEO_CODEC_UNSUPPORTED", videoCodec, limits.videoCodecs),
    ...(isMissing ? [{ code: "VIDEO_MISSING", found: 0, wanted: 1, isClear: true } as const] : []),
    ...above("VIDEO_BITRATE_HIGH", rate, limits.videoBytesPerSecondMax, RATE_MARGIN),
    ...above("FRAME_RATE_HIGH", frameRate, limits.frameRateMax, FRAME_RATE_MARGIN),
    ...above("PICTURE_TOO_LARGE", lines, limits.heightMax, EXACT),
    ...findLongKeyframeInterval(measures.longestKeyframeSeconds, limits),
    ...above("B_FRAMES", measures.bFrames, limits.bFramesMax, EXACT),
  ];
}

/** The advised value is the one to set, even where the target complains only later. */
function findLongKeyframeInterval(seconds: number | undefined, limits: TargetLimits): Finding[] {
  const { keyframeSecondsAdvised: advised, keyframeSecondsMax: max } = limits;
  const found = above("KEYFRAME_INTERVAL_LONG", seconds, max ?? advised, KEYFRAME_MARGIN);
  return advised === undefined ? found : found.map((finding) => ({ ...finding, wanted: advised }));
}

function findAudioFaults(ingest: IngestSample, limits: TargetLimits): Finding[] {
  const { audioCodec, sampleRate, channels, measures = {} } = ingest;
  const rate = measures.audioBytesPerSecond;
  const isMissing = limits.tracksNeeded?.includes("audio") === true && rate === 0 && !isUnreadable(measures, "audio");
  return [
    ...outside("AUDIO_CODEC_UNSUPPORTED", audioCodec, limits.audioCodecs),
    ...(isMissing ? [{ code: "AUDIO_MISSING", found: 0, wanted: 1, isClear: true } as const] : []),
    ...above("AUDIO_BITRATE_HIGH", rate, limits.audioBytesPerSecondMax, RATE_MARGIN),
    ...outside("SAMPLE_RATE_UNSUPPORTED", sampleRate, limits.sampleRates),
    ...above("AUDIO_CHANNELS_TOO_MANY", channels, limits.audioChannelsMax, EXACT),
  ];
}

/**
 * What a target with these limits does not accept about a stream. What is not known, of the stream or of the target, is
 * never wrong. Measures are of the default tracks: a target with another track is not checked by them.
 */
export function findTargetFaults(
  ingest: IngestSample,
  limits: TargetLimits,
  tracks: TrackChoice = { video: 0, audio: 0 },
): readonly Finding[] {
  return [
    ...(tracks.video === 0 ? findVideoFaults(ingest, limits) : []),
    ...(tracks.audio === 0 ? findAudioFaults(ingest, limits) : []),
  ];
}
