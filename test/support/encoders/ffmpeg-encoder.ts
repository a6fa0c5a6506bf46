import { type Child, startChild } from "../processes/children.ts";
import type { Clip } from "../streams/clip.ts";

export type FfmpegOptions = { readonly loops?: boolean };

/**
 * FFmpeg publishing a file in real time, packets unchanged. Ends by itself after the file; SIGINT ends it cleanly
 * (FCUnpublish, deleteStream), SIGKILL as a crash would.
 */
export async function startFfmpeg(clip: Pick<Clip, "path">, url: string, options: FfmpegOptions = {}): Promise<Child> {
  const loop = options.loops === true ? ["-stream_loop", "-1"] : [];
  const input = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-re", ...loop, "-i", clip.path];
  // FFmpeg reads replies once in ten packets and closes without reading the rest, which makes the kernel reset the
  // connection and discard what Nagle's algorithm still holds back: an acknowledgement in the last moments would cost
  // the last packets, before they ever left FFmpeg. Without Nagle everything that FFmpeg sent is on its way.
  return await startChild("ffmpeg", [...input, "-c", "copy", "-tcp_nodelay", "1", "-f", "flv", url]);
}
