import { readFile } from "node:fs/promises";
import { type Child, startChild } from "../processes/children.ts";
import { freePort } from "../processes/free-port.ts";
import { waitFor } from "../processes/waiting.ts";

const START_DEADLINE_MS = 15_000;
/** Linux writes ports as hexadecimal after the address; 0A is LISTEN. */
const isListening = async (port: number): Promise<boolean> => {
  const hexPort = port.toString(16).toUpperCase().padStart(4, "0");
  return new RegExp(`:${hexPort} [0-9A-F]+:0000 0A `).test(await readFile("/proc/net/tcp", "utf8"));
};

/** FFmpeg as a server of one publication, which it writes to an FLV file as it comes; ends with the publication. */
export type FfmpegReceiver = { readonly url: string; readonly child: Child };

/** Resolves once it listens. Looks, and does not connect: it takes the first connection and no other. */
export async function startFfmpegReceiver(streamKey: string, path: string): Promise<FfmpegReceiver> {
  const port = await freePort();
  const url = `rtmp://127.0.0.1:${port}/live`;
  const input = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-listen", "1", "-i", `${url}/${streamKey}`];
  const child = await startChild("ffmpeg", [...input, "-c", "copy", "-y", path]);
  await waitFor("FFmpeg to listen", START_DEADLINE_MS, async () => ((await isListening(port)) ? true : undefined));
  return { url, child };
}
