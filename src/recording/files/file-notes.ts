import { z } from "zod";
import {
  RECORDING_CONTAINERS,
  RECORDING_ENDS,
  type RecordingFile,
} from "../../thread-protocol/recordings/recordings.ts";

const count = z.number().int().nonnegative();
const NOTES = z.object({
  container: z.enum(RECORDING_CONTAINERS),
  startTime: count,
  end: z.object({ reason: z.enum(RECORDING_ENDS), time: count }).exactOptional(),
  durationMs: count,
  bytes: count,
  tracks: z
    .array(
      z.object({
        kind: z.enum(["audio", "video"]),
        codec: z.string().max(32),
        width: count.exactOptional(),
        height: count.exactOptional(),
        sampleRate: count.exactOptional(),
        channels: count.exactOptional(),
      }),
    )
    .max(64),
  /** Which server made it. Absent: an older version wrote it. */
  server: z.string().max(64).exactOptional(),
});

/** What is known of a file apart from its name. */
export type FileNotes = Omit<RecordingFile, "channelId" | "recordingId" | "upload">;

/** More than notes ever have, in bytes. */
export const NOTES_BYTES_MAX = 64 * 1024;

/** `server`: the one that makes it. */
export function encodeNotes(file: RecordingFile, server: string): string {
  const { container, startTime, end, durationMs, bytes, tracks } = file;
  const notes: FileNotes = { container, startTime, durationMs, bytes, tracks, ...(end === undefined ? {} : { end }) };
  return `${JSON.stringify({ ...notes, server })}\n`;
}

/** Undefined where the text is damaged. */
export function decodeNotes(text: string): { readonly notes: FileNotes; readonly server?: string } | undefined {
  try {
    const { server, ...notes } = NOTES.parse(JSON.parse(text));
    return { notes, ...(server === undefined ? {} : { server }) };
  } catch {
    return undefined;
  }
}
