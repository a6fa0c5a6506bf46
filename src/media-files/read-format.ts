import { z } from "zod";
import type { MediaFormat } from "../control/ports/media-files.ts";
import type { Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { fileInput, QUIET } from "../ffmpeg/input.ts";
import { LOOK_LIMITS } from "../ffmpeg/job-limits.ts";
import { run } from "../ffmpeg/run.ts";

const LOOK = { ...LOOK_LIMITS, outputBytes: 4 * 1024 * 1024 };
/** Larger than any stream's frame, in pixels on a side. */
const SIDE_MAX = 8_192;
const PICTURES: readonly string[] = ["png_pipe", "jpeg_pipe", "webp_pipe"];

const probe = z.object({
  format: z.object({ format_name: z.string(), duration: z.string().optional() }),
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      pix_fmt: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      avg_frame_rate: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.number().optional(),
      disposition: z.object({ attached_pic: z.number().optional() }).optional(),
    }),
  ),
});

/** Reads what a file holds. Returns the reason where it cannot be played. Never rejects. */
export async function readFormat(
  { ffprobe }: Ffmpeg,
  path: string,
  stopping: AbortSignal,
): Promise<MediaFormat | { readonly reason: string }> {
  const args = [...QUIET, "-of", "json", "-show_format", "-show_streams", ...fileInput(path)];
  const result = await run(ffprobe, args, LOOK, stopping);
  if ("reason" in result) return { reason: `The file cannot be read: ${result.reason}.` };
  const parsed = probe.safeParse(jsonOf(result.output));
  return parsed.success ? formatOf(parsed.data) : { reason: "The file cannot be read: ffprobe says nothing of it." };
}

/** Makes one frame of it, as JPEG. Returns the reason where there is none. Never rejects. */
export async function readFrame(
  { ffmpeg }: Ffmpeg,
  path: string,
  { durationMs = 0 }: MediaFormat,
  stopping: AbortSignal,
): Promise<Buffer | { readonly reason: string }> {
  const result = await run(ffmpeg, frameArguments(path, durationMs), LOOK, stopping);
  if ("reason" in result) return { reason: `No frame of the file could be made: ${result.reason}.` };
  return result.output.length > 0 ? result.output : { reason: "The file's video cannot be decoded." };
}

/** FFmpeg's arguments to make one frame of a file, as JPEG. */
export function frameArguments(path: string, durationMs: number): readonly string[] {
  // Many videos begin in black.
  const seconds = Math.min(durationMs / 10_000, 10);
  return [
    ...[...QUIET, "-nostdin", "-threads", "1", "-ss", String(seconds), ...fileInput(path)],
    ...["-map", "0:v:0", "-frames:v", "1", "-vf", "scale=320:-2", "-c:v", "mjpeg", "-f", "image2pipe", "pipe:1"],
  ];
}

function jsonOf(output: Buffer): unknown {
  try {
    return JSON.parse(output.toString("utf8"));
  } catch {
    return undefined;
  }
}

function formatOf({ format, streams }: z.output<typeof probe>): MediaFormat | { readonly reason: string } {
  const video = streams.find(
    ({ codec_type, disposition }) => codec_type === "video" && disposition?.attached_pic !== 1,
  );
  const audio = streams.find(({ codec_type, codec_name }) => codec_type === "audio" && codec_name !== undefined);
  const { codec_name: videoCodec, width = 0, height = 0, pix_fmt: pixelFormat } = video ?? {};
  if (videoCodec === undefined) return { reason: "The file has no video." };
  // FFmpeg found no frame that it could decode.
  if (pixelFormat === undefined || width < 2 || height < 2) return { reason: "The file's video cannot be decoded." };
  if (Math.max(width, height) > SIDE_MAX) return { reason: `The video is larger than ${SIDE_MAX} pixels on a side.` };
  const isPicture = PICTURES.includes(format.format_name);
  const seconds = Number(format.duration);
  const frameRate = rateOf(video?.avg_frame_rate);
  const hasDuration = !isPicture && Number.isFinite(seconds) && seconds > 0;
  return {
    kind: isPicture ? "picture" : "video",
    ...(hasDuration ? { durationMs: Math.round(seconds * 1_000) } : {}),
    ...{ videoCodec, pixelFormat, width, height },
    ...(isPicture || frameRate === undefined ? {} : { frameRate }),
    ...(audio?.codec_name === undefined ? {} : { audioCodec: audio.codec_name }),
    ...(audio?.sample_rate === undefined ? {} : { sampleRate: Number(audio.sample_rate) }),
    ...(audio?.channels === undefined ? {} : { channels: audio.channels }),
  };
}

function rateOf(text: string | undefined): number | undefined {
  const [frames = 0, seconds = 0] = (text ?? "").split("/").map(Number);
  const rate = frames / seconds;
  return Number.isFinite(rate) && rate > 0 ? Math.round(rate * 1_000) / 1_000 : undefined;
}
