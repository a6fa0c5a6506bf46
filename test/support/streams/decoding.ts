import { startChild } from "../processes/children.ts";

/** Keeps the file's own times. FFmpeg otherwise counts in frames of a guessed rate, and complains where there is a gap. */
const OWN_TIMES = ["-fps_mode", "passthrough", "-enc_time_base", "-1"];

/** Returns FFmpeg's messages while it decodes a whole file: none when every frame is intact. */
export async function decodingErrors(path: string): Promise<string> {
  const decoder = await startChild("ffmpeg", ["-v", "error", "-nostdin", "-i", path, ...OWN_TIMES, "-f", "null", "-"]);
  await decoder.exited;
  return decoder.stderr();
}

/** A hash of each decoded video frame and of each decoded audio frame of a file. */
export type DecodedHashes = { readonly video: readonly string[]; readonly audio: readonly string[] };

/**
 * Decodes the video and audio of a file, also what players leave out at its beginning. Throws where FFmpeg prints any
 * message.
 */
export async function decodedHashes(path: string): Promise<DecodedHashes> {
  const input = ["-v", "error", "-nostdin", "-flags2", "skip_manual", "-i", path];
  const decoder = await startChild("ffmpeg", [...input, "-map", "0:v", "-map", "0:a", "-f", "framemd5", "-"]);
  const { code } = await decoder.exited;
  if (code !== 0 || decoder.stderr() !== "") throw new Error(`FFmpeg on ${path}: ${code} ${decoder.stderr()}`);
  const lines = decoder.stdout().split("\n");
  // The stream's number comes first, the hash last.
  const of = (stream: number): string[] =>
    lines.filter((line) => line.startsWith(`${stream},`)).map((line) => line.split(",").at(-1)?.trim() ?? "");
  return { video: of(0), audio: of(1) };
}
