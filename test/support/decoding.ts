import { startChild } from "./children.ts";

/** What FFmpeg has to say while it decodes a whole file: nothing, when every picture and sound of it is well. */
export async function decodingErrors(path: string): Promise<string> {
  const decoder = await startChild("ffmpeg", ["-v", "error", "-nostdin", "-i", path, "-f", "null", "-"]);
  await decoder.exited;
  return decoder.stderr();
}
