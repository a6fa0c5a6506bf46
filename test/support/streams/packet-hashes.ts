import { runToEnd } from "../processes/children.ts";

/** A hash per packet of each elementary stream, in decoding order, exactly as FFmpeg's demuxer sees the packets. */
export type PacketHashes = { readonly video: readonly string[]; readonly audio: readonly string[] };

/** Reads a media file with FFmpeg, without decoding. The file may still be growing. */
export async function packetHashes(path: string): Promise<PacketHashes> {
  const args = ["-hide_banner", "-loglevel", "error", "-nostdin", "-i", path, "-map", "0:v?", "-map", "0:a?"];
  const text = await runToEnd("ffmpeg", [...args, "-c", "copy", "-f", "framemd5", "-"]);
  const kinds = new Map([...text.matchAll(/^#media_type (\d+): (\w+)$/gm)].map((match) => [match[1], match[2]]));
  const hashes = { video: [] as string[], audio: [] as string[] };
  for (const line of text.split("\n")) {
    if (line.startsWith("#") || line === "") continue;
    // stream, decoding time, presentation time, duration, bytes, hash (side data may follow).
    const [stream, , , , bytes, hash] = line.split(",").map((field) => field.trim());
    const packet = `${bytes}:${hash}`;
    if (kinds.get(stream ?? "") === "video") hashes.video.push(packet);
    else hashes.audio.push(packet);
  }
  return hashes;
}
