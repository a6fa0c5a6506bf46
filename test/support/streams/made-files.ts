import { join } from "node:path";
import { startChild } from "../processes/children.ts";

export type MadeFile = {
  readonly seconds: number;
  readonly size?: string;
  readonly frameRate?: number;
  /** Default H.264. */
  readonly videoCodec?: string;
  /** Default a tone of AAC at 48 kHz in stereo; `none`: no audio. */
  readonly audio?: readonly string[] | "none";
};

/** A file of FFmpeg's test picture and a tone, with a keyframe each second. Returns its path. */
export async function makeFile(folder: string, name: string, options: MadeFile): Promise<string> {
  const { seconds, size = "640x360", frameRate = 30, videoCodec = "libx264", audio = [] } = options;
  const path = join(folder, name);
  const length = ["-t", String(seconds)];
  const tone = audio === "none" ? [] : ["-f", "lavfi", ...length, "-i", "sine=frequency=440:sample_rate=48000"];
  const sound = audio === "none" ? [] : ["-c:a", "aac", "-ac", "2", "-ar", "48000", ...audio];
  const video = ["-c:v", videoCodec, "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", String(frameRate)];
  const child = await startChild("ffmpeg", [
    ...["-v", "error", "-y", "-f", "lavfi", ...length, "-i", `testsrc2=size=${size}:rate=${frameRate}`],
    ...[...tone, ...video, ...sound, "-threads", "1", path],
  ]);
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${name} could not be made: ${child.stderr()}`);
  return path;
}
