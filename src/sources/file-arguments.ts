import { PICTURE_SECONDS } from "../control/channels/source.ts";
import type { MediaFormat } from "../control/ports/media-files.ts";
import { fileInput, QUIET } from "../ffmpeg/input.ts";
import { type HdrCurve, toneMap } from "../ffmpeg/tone-map.ts";
import { copiesAudio, copiesVideo, type RunFormat } from "./run-format.ts";

/** `pixelFormat`: absent: 4:2:0 with 8 bits. */
type VideoForm = Omit<RunFormat, "audio"> & { readonly pixelFormat?: string };
type AudioForm = NonNullable<RunFormat["audio"]>;

/**
 * A picture is read once a second, and its frames are repeated: to decode one of 12 megapixels takes longer than a frame
 * lasts.
 */
export const PICTURE_INPUT: readonly string[] = ["-loop", "1", "-framerate", "1"];
/** Bits for each pixel of a transcoded frame, and the least and most for a whole stream, in bits a second. */
const BITS_PER_PIXEL = 0.1;
const VIDEO_BITS = { min: 400_000, max: 6_000_000 } as const;
const AUDIO_BITS = 160_000;
/** Platforms ask for a keyframe every 2 s. */
export const KEYFRAME_SECONDS = 2;

const COPIED_VIDEO = ["-c:v", "copy"];
const REPEATED_HEADERS = ["-x264-params", "repeat-headers=1"];

/**
 * FFmpeg's arguments to play one file as FLV in the form of the run: copied where it has that form, else transcoded.
 * `offsetMs`: how much of its beginning is left out, in milliseconds.
 */
export function fileArguments(path: string, file: MediaFormat, run: RunFormat, offsetMs = 0): readonly string[] {
  const isPicture = file.kind === "picture";
  const seconds = Math.max(0, PICTURE_SECONDS - offsetMs / 1_000);
  const seek = isPicture || offsetMs === 0 ? [] : ["-ss", String(offsetMs / 1_000)];
  const hasOwnAudio = file.audioCodec !== undefined;
  const audio = hasOwnAudio ? ownAudio(file) : "1:a:0";
  // The length of a video may be wrong where transport streams were joined: it ends the silence itself.
  const silence = run.audio !== undefined && !hasOwnAudio ? silenceInput(run.audio, isPicture ? seconds : 0) : [];
  const picture = isPicture ? [...PICTURE_INPUT, "-t", String(seconds)] : [];
  return [
    ...[...QUIET, "-nostdin", ...picture, ...seek, ...fileInput(path), ...silence, "-map", "0:V:0"],
    ...(run.audio === undefined ? ["-an"] : ["-map", audio]),
    ...(silence.length > 0 ? ["-shortest"] : []),
    ...(copiesVideo(file, run) ? COPIED_VIDEO : encodedVideo(run, needsOf(file))),
    ...(run.audio === undefined ? [] : copiesAudio(file, run) ? ["-c:a", "copy"] : encodedAudio(run.audio)),
    ...["-sn", "-dn", "-map_metadata", "-1", "-flvflags", "no_duration_filesize", "-f", "flv", "pipe:1"],
  ];
}

/** The file's audio, as FFmpeg names a stream of the first input. */
export function ownAudio({ audioIndex = 0 }: MediaFormat): string {
  return `0:a:${audioIndex}`;
}

/** What a file's frames need beside their size. `curve`: its HDR is brought to the colours of SDR. */
export type FrameNeeds = { readonly curve?: HdrCurve | undefined; readonly isInterlaced?: boolean | undefined };

export function needsOf({ hdr, isPale, isInterlaced }: MediaFormat): FrameNeeds {
  return { curve: isPale === true ? undefined : hdr, isInterlaced };
}

/** H.264 that every platform and decoder takes where the pixel format is the usual one, with a keyframe every 2 s. */
export function encodedVideo(form: VideoForm, needs: FrameNeeds = {}): readonly string[] {
  const bits = streamBits(form);
  const profile = form.pixelFormat === undefined ? ["-profile:v", "high"] : [];
  return [
    ...["-vf", videoFilter(form, needs), "-c:v", "libx264", "-preset", "veryfast", ...profile, "-threads", "2"],
    ...["-g", String(Math.round(form.frameRate * KEYFRAME_SECONDS)), "-sc_threshold", "0", ...REPEATED_HEADERS],
    ...["-b:v", String(bits), "-maxrate", String(bits), "-bufsize", String(2 * bits)],
  ];
}

/** Bits a second for video of this form. */
export function streamBits({ width, height, frameRate }: VideoForm): number {
  const bits = width * height * frameRate * BITS_PER_PIXEL;
  return Math.round(Math.min(VIDEO_BITS.max, Math.max(VIDEO_BITS.min, bits)));
}

/** The whole frame in this form, with square pixels, and black beside it where it has other proportions. */
export function videoFilter(
  { width, height, frameRate, pixelFormat = "yuv420p" }: VideoForm,
  { curve, isInterlaced = false }: FrameNeeds = {},
): string {
  const size = `${width}:${height}`;
  // To map a frame takes as long as to encode it: none that is dropped, and none larger than it is sent.
  const colours = curve === undefined ? [] : [`fps=${frameRate}`, ...toneMap(curve, width * height * frameRate)];
  const sides = curve === undefined ? "" : ":force_divisible_by=2";
  return [
    ...(isInterlaced ? ["yadif=deint=interlaced"] : []),
    "scale=iw*sar:ih",
    `scale=${size}:force_original_aspect_ratio=decrease${sides}`,
    ...colours,
    `pad=${size}:-1:-1`,
    "setsar=1",
    `fps=${frameRate}`,
    `format=${pixelFormat}`,
  ].join(",");
}

export function encodedAudio({ sampleRate, channels }: AudioForm): readonly string[] {
  return ["-c:a", "aac", "-b:a", String(AUDIO_BITS), "-ar", String(sampleRate), "-ac", String(channels)];
}

/** Silence as a second input; endless where the length is not known, and then cut by `-shortest`. */
export function silenceInput({ sampleRate, channels }: AudioForm, seconds: number): readonly string[] {
  const layout = channels === 1 ? "mono" : "stereo";
  const length = seconds > 0 ? ["-t", String(seconds)] : [];
  return ["-f", "lavfi", ...length, "-i", `anullsrc=r=${sampleRate}:cl=${layout}`];
}
