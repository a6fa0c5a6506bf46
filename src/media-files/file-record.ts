import { readFileSync, statSync } from "node:fs";
import { open, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { MEDIA_FILE_STATES, type MediaFile } from "../control/ports/media-files.ts";

/** The files in the folder of one media file. */
export const CONTENT = "content";
export const FRAME = "frame.jpg";
const INFO = "info.json";

const format = z.object({
  kind: z.enum(["video", "picture"]),
  durationMs: z.number().optional(),
  videoCodec: z.string(),
  pixelFormat: z.string(),
  width: z.number(),
  height: z.number(),
  isTranscoded: z.literal(true).optional(),
  isInterlaced: z.literal(true).optional(),
  hdr: z.enum(["PQ", "HLG"]).optional(),
  isPale: z.literal(true).optional(),
  frameRate: z.number().optional(),
  audioCodec: z.string().optional(),
  audioIndex: z.number().optional(),
  sampleRate: z.number().optional(),
  channels: z.number().optional(),
  isAudioTranscoded: z.literal(true).optional(),
});

const info = z.object({
  name: z.string(),
  bytes: z.number(),
  createdTime: z.number(),
  state: z.enum(MEDIA_FILE_STATES),
  reason: z.string().optional(),
  fingerprint: z.string().optional(),
  format: format.optional(),
  contentKey: z.string().optional(),
});

/** Reads what is kept of one media file; undefined where its folder is not whole. */
export function readRecord(folder: string, fileId: string): MediaFile | undefined {
  try {
    const parsed = info.parse(JSON.parse(readFileSync(join(folder, fileId, INFO), "utf8")));
    const { reason, fingerprint, format: known, contentKey, ...rest } = parsed;
    const isWatched = contentKey !== undefined;
    const receivedBytes = isWatched ? parsed.bytes : statSync(join(folder, fileId, CONTENT)).size;
    return {
      ...{ fileId, receivedBytes, ...rest },
      ...(reason === undefined ? {} : { reason }),
      ...(fingerprint === undefined ? {} : { fingerprint }),
      ...(isWatched ? { contentKey } : {}),
      // Parsed by the schema above, whose absent fields are left out by JSON.
      ...(known === undefined ? {} : { format: JSON.parse(JSON.stringify(known)) }),
    };
  } catch {
    return undefined;
  }
}

/** Writes it so that a crash leaves the old or the new record. */
export async function writeRecord(folder: string, file: MediaFile): Promise<void> {
  const { fileId, receivedBytes: _received, ...kept } = file;
  const path = join(folder, fileId, INFO);
  await writeFile(`${path}.new`, JSON.stringify(kept), { mode: 0o600, flush: true });
  await rename(`${path}.new`, path);
}

/**
 * Writes bytes at the end of the content. `isLast`: they are on the disk when this resolves. Rejects where the disk takes
 * only a part of them.
 */
export async function appendContent(path: string, at: number, bytes: Buffer, isLast: boolean): Promise<void> {
  const handle = await open(path, "r+");
  try {
    // A disk that gets full takes what it can, without an error; the next write has the error.
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await handle.write(bytes, written, bytes.length - written, at + written);
      if (bytesWritten === 0) throw new Error("the disk took nothing");
      written += bytesWritten;
    }
    if (isLast) await handle.sync();
  } finally {
    await handle.close();
  }
}
