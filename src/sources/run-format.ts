import type { MediaFormat } from "../control/ports/media-files.ts";

/** The form of everything that one run of a playlist sends. Within a connection it must not change; audio may begin late. */
export type RunFormat = {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Absent: no file has had audio. */
  readonly audio?: { readonly sampleRate: number; readonly channels: number };
};

/** A picture alone is sent within this size, upright or not: cameras have far larger ones. */
const PICTURE_SIDES_MAX = { long: 1_920, short: 1_080 } as const;
const FRAME_RATE_USUAL = 30;
const FRAME_RATE_MAX = 60;
/**
 * Slide shows and recordings of still screens have fewer: sent as they are, a frame and above all the next keyframe would be waited
 * for too long, and among other videos these would be as slow.
 */
const FRAME_RATE_MIN = 10;
/** Frame rates are measured; slow motion of phones has 120 and 240. */
const COPIED_RATE_MAX = 61;
const RATE_USUAL = 48_000;
/** What AAC in FLV has on every platform, in Hz. */
const RATES: readonly number[] = [44_100, 48_000];

/**
 * The form of a run: the first video, else the first picture, and the first audio that any file has. `present`: what the
 * run has sent so far, which stays; another list may bring audio to a run without.
 */
export function runFormat(formats: readonly MediaFormat[], present?: RunFormat): RunFormat {
  const video = formats.find(({ kind }) => kind === "video");
  const { width, height } = video ?? pictureSize(formats[0]);
  const { frameRate = FRAME_RATE_USUAL } = video ?? {};
  const sentRate = frameRate < FRAME_RATE_MIN ? FRAME_RATE_USUAL : Math.min(frameRate, FRAME_RATE_MAX);
  const audio = formats.find(({ audioCodec }) => audioCodec !== undefined);
  const { sampleRate = RATE_USUAL, channels = 2 } = audio ?? {};
  return {
    // H.264 with 4:2:0 has even sides.
    ...{ width: even(width), height: even(height), frameRate: sentRate },
    ...(audio === undefined
      ? {}
      : {
          audio: { sampleRate: RATES.includes(sampleRate) ? sampleRate : RATE_USUAL, channels: Math.min(channels, 2) },
        }),
    ...present,
  };
}

/** Whether the file's video goes out as it is. */
export function copiesVideo(file: MediaFormat, run: RunFormat): boolean {
  const { kind, videoCodec, pixelFormat, width, height, frameRate = FRAME_RATE_USUAL, isTranscoded = false } = file;
  const isPlayable = kind === "video" && videoCodec === "h264" && pixelFormat === "yuv420p" && !isTranscoded;
  const isSteady = frameRate >= FRAME_RATE_MIN && frameRate <= COPIED_RATE_MAX;
  return isPlayable && isSteady && width === run.width && height === run.height;
}

/** Whether the file's audio goes out as it is. */
export function copiesAudio(file: MediaFormat, { audio }: RunFormat): boolean {
  const { audioCodec, sampleRate, channels, isAudioTranscoded = false } = file;
  if (audio === undefined || isAudioTranscoded) return false;
  return audioCodec === "aac" && sampleRate === audio.sampleRate && channels === audio.channels;
}

function pictureSize({ width, height } = { width: 1_280, height: 720 }): Pick<RunFormat, "width" | "height"> {
  const { long, short } = PICTURE_SIDES_MAX;
  const share = Math.min(1, long / Math.max(width, height), short / Math.min(width, height));
  return { width: Math.round(width * share), height: Math.round(height * share) };
}

function even(side: number): number {
  return side - (side % 2);
}
