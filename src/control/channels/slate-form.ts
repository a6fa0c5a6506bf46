import type { IngestSample } from "../../thread-protocol/samples.ts";

/** The codecs of streams that a slate can be made for, in the words of `ingest.videoCodec` and `ingest.audioCodec`. */
export const SLATE_VIDEO_CODECS = ["avc", "hevc", "av1"] as const;
export const SLATE_AUDIO_CODECS = ["aac", "mp3", "opus", "ac3", "eac3", "flac"] as const;
/** Chroma and bit depth other than 4:2:0 with 8 bits, as FFmpeg names them. */
const PIXEL_FORMATS = ["yuv420p10le", "yuv422p", "yuv422p10le", "yuv444p", "yuv444p10le"] as const;

export type SlateVideoCodec = (typeof SLATE_VIDEO_CODECS)[number];
export type SlateAudioCodec = (typeof SLATE_AUDIO_CODECS)[number];

/** The form that a slate must have to stand for a stream. Sizes in pixels, rates in frames a second and Hz. */
export type SlateForm = {
  readonly videoCodec: SlateVideoCodec;
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Absent: 4:2:0 with 8 bits. */
  readonly pixelFormat?: (typeof PIXEL_FORMATS)[number];
  /** Absent: the stream has no audio. */
  readonly audio?: { readonly codec: SlateAudioCodec; readonly sampleRate: number; readonly channels: number };
};

/** The frame rates of encoders, in frames a second. A measured rate is near one of them. */
const RATES = [24_000 / 1_001, 24, 25, 30_000 / 1_001, 30, 48, 50, 60_000 / 1_001, 60];
/** A measured rate nearer than this to a usual one is that one. */
const NEAR = 0.02;

/**
 * The form of a slate for this stream's default tracks. Undefined while it is not known, and `other` for a stream of
 * codecs, chroma or bit depth that no slate is made in.
 */
export function slateForm(ingest: IngestSample): SlateForm | "other" | undefined {
  const { width, height, frameRate, sampleRate, channels } = ingest;
  if (ingest.videoCodec === undefined) return undefined;
  const videoCodec = SLATE_VIDEO_CODECS.find((codec) => codec === ingest.videoCodec);
  const codec = SLATE_AUDIO_CODECS.find((each) => each === ingest.audioCodec);
  const pixelFormat = PIXEL_FORMATS.find((format) => format === ingest.pixelFormat);
  if (videoCodec === undefined || (ingest.audioCodec !== undefined && codec === undefined)) return "other";
  if (pixelFormat !== ingest.pixelFormat) return "other";
  if (width === undefined || height === undefined || frameRate === undefined) return undefined;
  const pixels = pixelFormat === undefined ? {} : { pixelFormat };
  const form = { videoCodec, width, height, frameRate: usualRate(frameRate), ...pixels };
  if (codec === undefined) return form;
  return sampleRate === undefined || channels === undefined
    ? undefined
    : { ...form, audio: { codec, sampleRate, channels } };
}

/** The form, at the frame rate of the one before where the two differ by no more than measuring does. */
export function steadyForm(form: SlateForm, before: SlateForm | undefined): SlateForm {
  const isNear = before !== undefined && Math.abs(form.frameRate - before.frameRate) < NEAR * before.frameRate;
  return isNear ? { ...form, frameRate: before.frameRate } : form;
}

/** The same text for the same form. */
export function formName({ videoCodec, width, height, frameRate, pixelFormat, audio }: SlateForm): string {
  const sound =
    audio === undefined ? "silent" : `${codecName(audio.codec, "aac")}${audio.sampleRate}-${audio.channels}`;
  const pixels = pixelFormat === undefined ? "" : `${pixelFormat}-`;
  return `slate-${codecName(videoCodec, "avc")}${pixels}${width}x${height}-${frameRate.toFixed(3)}-${sound}.flv`;
}

/** Names of slates that were kept before other codecs came have none. */
function codecName(codec: string, usual: string): string {
  return codec === usual ? "" : `${codec}-`;
}

function usualRate(measured: number): number {
  const nearest = RATES.reduce((best, rate) => (Math.abs(rate - measured) < Math.abs(best - measured) ? rate : best));
  const rate = Math.abs(nearest - measured) < NEAR * nearest ? nearest : Math.max(1, Math.round(measured));
  return Math.round(Math.min(60, rate) * 1_000) / 1_000;
}
