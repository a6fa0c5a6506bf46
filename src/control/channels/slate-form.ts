import type { IngestSample } from "../../thread-protocol/samples.ts";

/** The form that a slate must have to stand for a stream. Sizes in pixels, rates in frames a second and Hz. */
export type SlateForm = {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Absent: the stream has no audio. */
  readonly audio?: { readonly sampleRate: number; readonly channels: number };
};

/** The frame rates of encoders, in frames a second. A measured rate is near one of them. */
const RATES = [24_000 / 1_001, 24, 25, 30_000 / 1_001, 30, 48, 50, 60_000 / 1_001, 60];
/** A measured rate nearer than this to a usual one is that one. */
const NEAR = 0.02;

/**
 * The form of a slate for this stream. Undefined while it is not known, and `other` for a stream that no slate can stand
 * for: its codecs must be H.264 and AAC.
 */
export function slateForm(ingest: IngestSample): SlateForm | "other" | undefined {
  const { videoCodec, width, height, frameRate, audioCodec, sampleRate, channels } = ingest;
  if (videoCodec === undefined) return undefined;
  if (videoCodec !== "avc" || (audioCodec !== undefined && audioCodec !== "aac")) return "other";
  if (width === undefined || height === undefined || frameRate === undefined) return undefined;
  if (audioCodec !== undefined && (sampleRate === undefined || channels === undefined)) return undefined;
  const audio = sampleRate === undefined || channels === undefined ? {} : { audio: { sampleRate, channels } };
  return { width, height, frameRate: usualRate(frameRate), ...audio };
}

/** The same text for the same form. */
export function formName({ width, height, frameRate, audio }: SlateForm): string {
  const sound = audio === undefined ? "silent" : `${audio.sampleRate}-${audio.channels}`;
  return `slate-${width}x${height}-${frameRate.toFixed(3)}-${sound}.flv`;
}

function usualRate(measured: number): number {
  const nearest = RATES.reduce((best, rate) => (Math.abs(rate - measured) < Math.abs(best - measured) ? rate : best));
  const rate = Math.abs(nearest - measured) < NEAR * nearest ? nearest : Math.max(1, Math.round(measured));
  return Math.round(Math.min(60, rate) * 1_000) / 1_000;
}
