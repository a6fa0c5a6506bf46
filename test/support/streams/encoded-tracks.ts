import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { runToEnd } from "../processes/children.ts";
import type { MediaKind } from "./enhanced-tags.ts";

/** A coded video or audio frame. */
export type EncodedPacket = {
  /** Decoding time in milliseconds, from 0 at the track's first frame. */
  readonly timestamp: number;
  /** Presentation time less decoding time. */
  readonly compositionMs: number;
  readonly isKeyframe: boolean;
  readonly bytes: Buffer;
};

/** An encoder's output, as any container would hold it. */
export type EncodedTrack = {
  readonly kind: MediaKind;
  readonly fourCc: string;
  /** Decoder configuration as Enhanced RTMP's sequence header has it; empty for codecs without one. */
  readonly header: Buffer;
  readonly packets: readonly EncodedPacket[];
};

/** FFmpeg's names for codecs, and Enhanced RTMP's. */
const FOURCCS: Readonly<Record<string, string>> = {
  h264: "avc1",
  hevc: "hvc1",
  av1: "av01",
  vp9: "vp09",
  aac: "mp4a",
  opus: "Opus",
  flac: "fLaC",
  ac3: "ac-3",
  eac3: "ec-3",
  mp3: ".mp3",
};

/**
 * VPCodecConfigurationRecord with its version: profile 0, level 1.0, 8 bits, 4:2:0, unspecified colours. FFmpeg 5
 * writes it but does not read it.
 */
const VPC_CONFIGURATION = Buffer.from("01000000000a820202020000", "hex");
/** In front of FLAC's STREAMINFO: the mark, and the header of a last block of 34 bytes. */
const FLAC_MARK = Buffer.concat([Buffer.from("fLaC"), Buffer.from("80000022", "hex")]);

const probe = z.object({
  streams: z.array(
    z.object({ codec_name: z.string(), codec_type: z.enum(["audio", "video"]), extradata: z.string().optional() }),
  ),
  packets: z.array(
    z.object({
      stream_index: z.int(),
      pts_time: z.coerce.number(),
      dts_time: z.coerce.number(),
      size: z.coerce.number(),
      pos: z.coerce.number(),
      flags: z.string(),
    }),
  ),
});

/**
 * 320x180 at 25 frames a second, and 48 kHz stereo, made by FFmpeg's encoders into a file (MP4). `groupSeconds`: the time
 * between two keyframes, by default a second.
 */
export async function encode(
  folder: string,
  name: string,
  encoders: { readonly video: readonly string[]; readonly audio: readonly string[] } & {
    readonly seconds: number;
    readonly groupSeconds?: number;
  },
): Promise<string> {
  const groupFrames = `${25 * (encoders.groupSeconds ?? 1)}`;
  const path = join(folder, `${name}.mp4`);
  await runToEnd("ffmpeg", [
    ...["-hide_banner", "-loglevel", "error", "-nostdin", "-y"],
    ...["-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-f", "lavfi", "-i", "sine=sample_rate=48000"],
    ...["-t", `${encoders.seconds}`, "-pix_fmt", "yuv420p", "-g", groupFrames, "-ac", "2", "-strict", "experimental"],
    // A clock of milliseconds, as RTMP's.
    ...["-c:v", ...encoders.video, "-c:a", ...encoders.audio, "-video_track_timescale", "1000", path],
  ]);
  return path;
}

/** The tracks of such a file, exactly as its encoders made them. */
export async function readTracks(path: string): Promise<EncodedTrack[]> {
  const args = ["-v", "error", "-show_streams", "-show_packets", "-show_data", "-of", "json", path];
  const { streams, packets } = probe.parse(JSON.parse(await runToEnd("ffprobe", args)));
  const file = await readFile(path);
  return streams.map(({ codec_name, codec_type, extradata = "" }, index) => {
    const own = packets.filter(({ stream_index }) => stream_index === index);
    const startSeconds = own[0]?.dts_time ?? 0;
    return {
      kind: codec_type,
      fourCc: FOURCCS[codec_name] ?? codec_name,
      header: headerOf(codec_name, bytesOfDump(extradata)),
      packets: own.map(({ pts_time, dts_time, pos, size, flags }) => ({
        timestamp: Math.round((dts_time - startSeconds) * 1_000),
        compositionMs: codec_type === "video" ? Math.round((pts_time - dts_time) * 1_000) : 0,
        isKeyframe: flags.startsWith("K"),
        bytes: file.subarray(pos, pos + size),
      })),
    };
  });
}

function headerOf(codecName: string, extradata: Buffer): Buffer {
  if (codecName === "vp9") return VPC_CONFIGURATION;
  if (codecName === "flac") return Buffer.concat([FLAC_MARK, extradata]);
  return codecName === "mp3" ? Buffer.alloc(0) : extradata;
}

/** ffprobe shows bytes as lines of an offset, up to sixteen bytes in pairs, and text. */
function bytesOfDump(dump: string): Buffer {
  const lines = dump.split("\n").filter((line) => line !== "");
  return Buffer.from(lines.map((line) => line.slice(10, 50).replaceAll(" ", "")).join(""), "hex");
}
