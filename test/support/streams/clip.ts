import { createHash, randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { link, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { runToEnd } from "../processes/children.ts";

export type ClipOptions = {
  readonly seconds: number;
  /** Video, in kilobits per second; 1500 by default. */
  readonly kilobits?: number;
  readonly hasBFrames?: boolean;
  /** Clips of different pitch have different audio and different video: no packet of one is in the other. */
  readonly pitchHz?: number;
  /** Width and height; 640x360 by default. */
  readonly size?: string;
  /** Hertz; 48000 by default. */
  readonly sampleRate?: number;
  /** 25 by default. */
  readonly framesPerSecond?: number;
  /** From one keyframe to the next; 2 by default. */
  readonly groupSeconds?: number;
};

/**
 * Options of a clip that is one group. A target gets all of it whose connection is made before it ends: with short groups a
 * busy machine would be too late for the first. A group that is much longer would not be kept for targets to come.
 */
export const ONE_GROUP = { seconds: 8, groupSeconds: 8 } as const;

/** An FLV file of H.264 (25 fps and closed GOPs of 2 s by default) and AAC (stereo). */
export type Clip = {
  readonly path: string;
  readonly seconds: number;
  /** All tag payloads, over the duration: what a target receives each second, less the chunk headers. */
  readonly bytesPerSecond: number;
};

function ffmpegArguments(options: Required<ClipOptions>, path: string): string[] {
  const { seconds, kilobits, hasBFrames, pitchHz, size, sampleRate, framesPerSecond } = options;
  const gop = `${framesPerSecond * options.groupSeconds}`;
  // Noise makes the bitrate real: a test picture alone compresses to almost nothing. Its hue distinguishes the clips.
  const video = `testsrc2=size=${size}:rate=${framesPerSecond},hue=h=${pitchHz % 360},noise=alls=24:allf=t`;
  return [
    ...["-hide_banner", "-loglevel", "error", "-nostdin", "-y"],
    ...["-f", "lavfi", "-i", video, "-f", "lavfi", "-i", `sine=frequency=${pitchHz}:sample_rate=${sampleRate}`],
    ...["-t", `${seconds}`, "-c:v", "libx264", "-preset", "ultrafast", "-profile:v", "main", "-pix_fmt", "yuv420p"],
    ...["-b:v", `${kilobits}k`, "-maxrate", `${kilobits}k`, "-bufsize", `${kilobits / 2}k`],
    ...["-g", gop, "-keyint_min", gop, "-sc_threshold", "0", "-bf", hasBFrames ? "2" : "0"],
    ...["-c:a", "aac", "-b:a", "128k", "-ac", "2", "-f", "flv", path],
  ];
}

/**
 * The clip with these parameters: made once by FFmpeg, then found again in the system's temporary folder. Two runs of
 * FFmpeg differ in their bytes, so the first file that has the name keeps it: sender and receiver compare the same one.
 */
export async function makeClip(options: ClipOptions): Promise<Clip> {
  const usual = { kilobits: 1_500, hasBFrames: false, pitchHz: 440, size: "640x360" };
  const all = { ...usual, sampleRate: 48_000, framesPerSecond: 25, groupSeconds: 2, ...options };
  const name = createHash("sha256").update(ffmpegArguments(all, "").join("\0")).digest("hex").slice(0, 16);
  const path = join(tmpdir(), `fanfare-clip-${name}.flv`);
  if (!existsSync(path)) {
    const made = `${path}.${randomUUID()}`;
    await runToEnd("ffmpeg", ffmpegArguments(all, made));
    await keepFirst(made, path);
  }
  const tags = readFlv(await readFile(path));
  const bytes = tags.reduce((sum, tag) => sum + tag.payload.length, 0);
  return { path, seconds: options.seconds, bytesPerSecond: bytes / options.seconds };
}

/** Gives a finished file its name, unless another one has it: a rename would replace that. */
async function keepFirst(made: string, path: string): Promise<void> {
  await link(made, path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "EEXIST") throw error;
  });
  await rm(made);
}
