import { z } from "zod";
import type { MediaFormat } from "../control/ports/media-files.ts";
import type { Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { fileInput, QUIET } from "../ffmpeg/input.ts";
import { LOOK_LIMITS } from "../ffmpeg/job-limits.ts";
import { run } from "../ffmpeg/run.ts";
import { HDR_CURVES, type HdrCurve, toneMap } from "../ffmpeg/tone-map.ts";

const LOOK = { ...LOOK_LIMITS, outputBytes: 4 * 1024 * 1024 };
/** Larger than any stream's frame, in pixels on a side. */
const SIDE_MAX = 8_192;
/** Some encoders round: pixels that differ so little from squares are square. */
const SQUARE_WITHIN = 0.01;
const PICTURES: readonly string[] = ["png_pipe", "jpeg_pipe", "webp_pipe"];

/** Containers that have a time of presentation for each frame: AVI has none, and FFmpeg does not copy its B-frames. */
const TIMED = /^(?:mov|matroska|flv|mpegts|mpeg)\b/;
/** Containers without one header for all their audio: recordings of them are joined as they are. */
const JOINED = /^(?:mpegts|mpeg)\b/;
/** The profiles of H.264 that every platform and decoder takes, by FFmpeg's names: others are for lossless video, cameras and 3D. */
const AVC_PROFILES = /^(?:Constrained Baseline|Baseline|Main|Extended|High)$/;
/** The profile of AAC that every platform takes, by FFmpeg's name. Others have two sample rates. */
const AAC_PROFILE = "LC";
/** How FFmpeg says that frames are interlaced: which field is coded first, and which is shown first. */
const FIELD_ORDERS: readonly string[] = ["tt", "bb", "tb", "bt"];
/** What lies before a file's first frame of video is less than this, in packets. */
const PACKETS_READ = 20;
const HIDDEN = "D";
/** Of audio an edit list always hides the run-in of its encoder. This is more than one, in seconds. */
const RUN_IN_SECONDS_MAX = 0.1;
const CURVES = ["PQ", "HLG"] as const satisfies readonly HdrCurve[];

const probe = z.object({
  format: z.object({ format_name: z.string(), duration: z.string().optional() }),
  streams: z.array(
    z.object({
      codec_type: z.string().optional(),
      codec_name: z.string().optional(),
      pix_fmt: z.string().optional(),
      width: z.number().optional(),
      height: z.number().optional(),
      color_transfer: z.string().optional(),
      sample_aspect_ratio: z.string().optional(),
      side_data_list: z.array(z.object({ rotation: z.number().optional() })).optional(),
      avg_frame_rate: z.string().optional(),
      profile: z.string().optional(),
      sample_rate: z.string().optional(),
      channels: z.number().optional(),
      field_order: z.string().optional(),
      sample_fmt: z.string().optional(),
      disposition: z.object({ attached_pic: z.number().optional(), default: z.number().optional() }).optional(),
    }),
  ),
  packets: z
    .array(
      z.object({
        codec_type: z.string().optional(),
        flags: z.string().optional(),
        pts_time: z.string().optional(),
      }),
    )
    .optional(),
});

/** A frame that was given up, and not for its content. */
const GIVEN_UP = /: it (?:took longer|used more|was stopped)/;

/**
 * Reads what a file holds, and makes one frame of it as JPEG. Returns the reason where it cannot be played. An FFmpeg that
 * cannot bring HDR to the colours of SDR plays it all the same. Never rejects.
 */
export async function readMedia(
  ffmpeg: Ffmpeg,
  path: string,
  stopping: AbortSignal,
): Promise<{ readonly format: MediaFormat; readonly frame: Buffer } | { readonly reason: string }> {
  const format = await readFormat(ffmpeg, path, stopping);
  if ("reason" in format) return format;
  const frame = await readFrame(ffmpeg, path, format, stopping);
  if (Buffer.isBuffer(frame)) return { format, frame };
  if (format.hdr === undefined || GIVEN_UP.test(frame.reason)) return frame;
  const pale = { ...format, isPale: true } as const;
  const paleFrame = await readFrame(ffmpeg, path, pale, stopping);
  return Buffer.isBuffer(paleFrame) ? { format: pale, frame: paleFrame } : paleFrame;
}

/** Reads what a file holds. Returns the reason where it cannot be played. Never rejects. */
export async function readFormat(
  { ffprobe }: Ffmpeg,
  path: string,
  stopping: AbortSignal,
): Promise<MediaFormat | { readonly reason: string }> {
  const packets = ["-show_packets", "-read_intervals", `%+#${PACKETS_READ}`];
  const args = [...QUIET, "-of", "json", "-show_format", "-show_streams", ...packets, ...fileInput(path)];
  const result = await run(ffprobe, args, LOOK, stopping);
  if ("reason" in result) return { reason: `The file cannot be read: ${result.reason}.` };
  const parsed = probe.safeParse(jsonOf(result.output));
  return parsed.success ? formatOf(parsed.data) : { reason: "The file cannot be read: ffprobe says nothing of it." };
}

/** Makes one frame of it, as JPEG. Returns the reason where there is none. Never rejects. */
export async function readFrame(
  { ffmpeg }: Ffmpeg,
  path: string,
  { durationMs = 0, hdr, isPale }: MediaFormat,
  stopping: AbortSignal,
): Promise<Buffer | { readonly reason: string }> {
  // Many videos begin in black. Video may end long before the audio: of some files it is one frame, at the start.
  const later = Math.min(durationMs / 10_000, 10);
  const curve = isPale === true ? undefined : hdr;
  const result = await run(ffmpeg, frameArguments(path, later, curve), LOOK, stopping);
  // One that took too long or was stopped is not tried again.
  const isMissing = "output" in result && result.output.length === 0 && later > 0;
  const found = isMissing ? await run(ffmpeg, frameArguments(path, 0, curve), LOOK, stopping) : result;
  if ("reason" in found) return { reason: `No frame of the file could be made: ${found.reason}.` };
  return found.output.length > 0 ? found.output : { reason: "The file's video cannot be decoded." };
}

/** FFmpeg's arguments to make one frame of a file, so many seconds from its start, as JPEG. `curve`: it is HDR. */
export function frameArguments(path: string, seconds: number, curve?: HdrCurve): readonly string[] {
  const filter = ["scale=iw*sar:ih", "scale=320:-2", ...(curve === undefined ? [] : toneMap(curve))].join(",");
  // The start is not searched for: in FLV with B-frames its time is below 0, and FFmpeg goes to the next keyframe behind it.
  const seek = seconds === 0 ? [] : ["-ss", String(seconds)];
  return [
    ...[...QUIET, "-nostdin", "-threads", "1", ...seek, ...fileInput(path)],
    ...["-map", "0:V:0", "-frames:v", "1", "-vf", filter, "-c:v", "mjpeg", "-f", "image2pipe", "pipe:1"],
  ];
}

function jsonOf(output: Buffer): unknown {
  try {
    return JSON.parse(output.toString("utf8"));
  } catch {
    return undefined;
  }
}

type Stream = z.output<typeof probe>["streams"][number];

function formatOf({
  format,
  streams,
  packets = [],
}: z.output<typeof probe>): MediaFormat | { readonly reason: string } {
  const video = streams.find(
    ({ codec_type, disposition }) => codec_type === "video" && disposition?.attached_pic !== 1,
  );
  const audios = streams.filter(({ codec_type }) => codec_type === "audio");
  const audio = heard(audios);
  const { codec_name: videoCodec, pix_fmt: pixelFormat } = video ?? {};
  if (video === undefined || videoCodec === undefined) return { reason: "The file has no video." };
  const { width, height, isReshaped } = shownSize(video);
  // An edit list hides the beginning of a video that was trimmed without coding it again.
  const isTrimmed = packets.find(({ codec_type }) => codec_type === "video")?.flags?.includes(HIDDEN) === true;
  const isInterlaced = FIELD_ORDERS.includes(video.field_order ?? "");
  const isRare = videoCodec === "h264" && !AVC_PROFILES.test(video.profile ?? "High");
  const isTranscoded = isReshaped || isTrimmed || isInterlaced || isRare || !TIMED.test(format.format_name);
  // FFmpeg found no frame that it could decode.
  if (pixelFormat === undefined || width < 2 || height < 2) return { reason: "The file's video cannot be decoded." };
  if (Math.max(width, height) > SIDE_MAX) return { reason: `The video is larger than ${SIDE_MAX} pixels on a side.` };
  const curve = CURVES.find((each) => HDR_CURVES[each] === video.color_transfer);
  const isPicture = PICTURES.includes(format.format_name);
  const seconds = Number(format.duration);
  const frameRate = rateOf(video.avg_frame_rate);
  // Both are 0 where the audio begins behind what FFmpeg looks at.
  const [sampleRate, channels] = [Number(audio?.sample_rate ?? 0), audio?.channels ?? 0];
  const isAudioTrimmed = packets.some(
    ({ codec_type, flags = "", pts_time }) =>
      codec_type === "audio" && flags.includes(HIDDEN) && Number(pts_time) < -RUN_IN_SECONDS_MAX,
  );
  const isOtherProfile = (audio?.profile ?? AAC_PROFILE) !== AAC_PROFILE;
  const isAudioTranscoded =
    audio !== undefined && (JOINED.test(format.format_name) || isOtherProfile || isAudioTrimmed);
  const hasDuration = !isPicture && Number.isFinite(seconds) && seconds > 0;
  return {
    kind: isPicture ? "picture" : "video",
    ...(hasDuration ? { durationMs: Math.round(seconds * 1_000) } : {}),
    ...{ videoCodec, pixelFormat, width, height },
    ...(isTranscoded && !isPicture ? { isTranscoded } : {}),
    ...(isInterlaced && !isPicture ? { isInterlaced } : {}),
    ...(curve === undefined || isPicture ? {} : { hdr: curve }),
    ...(isPicture || frameRate === undefined ? {} : { frameRate }),
    ...(audio?.codec_name === undefined ? {} : { audioCodec: audio.codec_name }),
    ...(audio === undefined || audio === audios[0] ? {} : { audioIndex: audios.indexOf(audio) }),
    ...(sampleRate > 0 ? { sampleRate } : {}),
    ...(channels > 0 ? { channels } : {}),
    ...(isAudioTranscoded ? { isAudioTranscoded } : {}),
  };
}

/**
 * The audio that players let hear: the default one. FFmpeg does not know the samples of one that it cannot decode, as the
 * spatial audio of phones, nor those of one that begins late.
 */
function heard(audios: readonly Stream[]): Stream | undefined {
  const known = audios.filter(({ codec_name }) => codec_name !== undefined);
  const decodable = known.filter(({ sample_fmt }) => sample_fmt !== undefined);
  return decodable.find(({ disposition }) => disposition?.default === 1) ?? decodable[0] ?? known[0];
}

/** The size in which players show the video: phones turn it, and old cameras and discs have pixels that are not square. */
function shownSize({ width = 0, height = 0, sample_aspect_ratio, side_data_list = [] }: Stream) {
  const [across = 0, down = 0] = (sample_aspect_ratio ?? "").split(":").map(Number);
  const ratio = across > 0 && down > 0 ? across / down : 1;
  const stretch = Math.abs(ratio - 1) < SQUARE_WITHIN ? 1 : ratio;
  const degrees = side_data_list.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0;
  const shownWidth = Math.round(width * stretch);
  const isOnItsSide = Math.abs(degrees % 180) > 45 && Math.abs(degrees % 180) < 135;
  const isReshaped = stretch !== 1 || degrees !== 0;
  return isOnItsSide ? { width: height, height: shownWidth, isReshaped } : { width: shownWidth, height, isReshaped };
}

function rateOf(text: string | undefined): number | undefined {
  const [frames = 0, seconds = 0] = (text ?? "").split("/").map(Number);
  const rate = frames / seconds;
  return Number.isFinite(rate) && rate > 0 ? Math.round(rate * 1_000) / 1_000 : undefined;
}
