import type { MediaFormat } from "../control/ports/media-files.ts";

/** The form of everything that one run of a playlist sends. Within a connection it must not change. */
export type RunFormat = {
  readonly width: number;
  readonly height: number;
  readonly frameRate: number;
  /** Absent: no file has audio. */
  readonly audio?: { readonly sampleRate: number; readonly channels: number };
};

const FRAME_RATE_USUAL = 30;
const FRAME_RATE_MAX = 60;
const RATE_USUAL = 48_000;
/** What AAC in FLV has on every platform, in Hz. */
const RATES: readonly number[] = [44_100, 48_000];

/** The form of a run: the first file's video, and the first audio that any file has. */
export function runFormat(formats: readonly MediaFormat[]): RunFormat {
  const [first] = formats;
  const { width = 1280, height = 720, frameRate = FRAME_RATE_USUAL } = first ?? {};
  const audio = formats.find(({ audioCodec }) => audioCodec !== undefined);
  const { sampleRate = RATE_USUAL, channels = 2 } = audio ?? {};
  return {
    // H.264 with 4:2:0 has even sides.
    ...{ width: even(width), height: even(height), frameRate: Math.min(frameRate, FRAME_RATE_MAX) },
    ...(audio === undefined
      ? {}
      : {
          audio: { sampleRate: RATES.includes(sampleRate) ? sampleRate : RATE_USUAL, channels: Math.min(channels, 2) },
        }),
  };
}

/** Whether the file's video goes out as it is. */
export function copiesVideo(file: MediaFormat, run: RunFormat): boolean {
  const { kind, videoCodec, pixelFormat, width, height } = file;
  const isPlayable = kind === "video" && videoCodec === "h264" && pixelFormat === "yuv420p";
  return isPlayable && width === run.width && height === run.height;
}

/** Whether the file's audio goes out as it is. */
export function copiesAudio({ audioCodec, sampleRate, channels }: MediaFormat, { audio }: RunFormat): boolean {
  if (audio === undefined) return false;
  return audioCodec === "aac" && sampleRate === audio.sampleRate && channels === audio.channels;
}

function even(side: number): number {
  return side - (side % 2);
}
