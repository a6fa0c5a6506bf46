import { startChild } from "./children.ts";

/** What FFmpeg has to say while it decodes a whole file: nothing, when every picture and sound of it is well. */
export async function decodingErrors(path: string): Promise<string> {
  const decoder = await startChild("ffmpeg", ["-v", "error", "-nostdin", "-i", path, "-f", "null", "-"]);
  await decoder.exited;
  return decoder.stderr();
}

/** Of each picture and of each sound of a file, decoded, a hash. */
export type DecodedHashes = { readonly video: readonly string[]; readonly audio: readonly string[] };

/** Decodes a file of pictures and sound, also what players leave out at its beginning. Throws where FFmpeg has anything to say. */
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
