import { z } from "zod";

const NOTES = z.object({
  /** The object's name in the bucket. */
  name: z.string().max(1_024),
  /** Bytes of each part but the last. */
  partBytes: z.number().int().positive(),
  /** The upload that runs; absent when it is done. */
  uploadId: z.string().max(4_096).exactOptional(),
  /** The tags of the parts that are there. */
  tags: z.array(z.string().max(256)).max(10_000),
  isDone: z.boolean(),
  /** Which content of the file this is about, by `Library.stampOf`. Absent: an older version wrote it. */
  stamp: z.string().max(100).exactOptional(),
});

/** How far a file's upload is: kept beside the file, so that a restart goes on where it was. */
export type UploadNotes = z.output<typeof NOTES>;

export function encodeUploadNotes(notes: UploadNotes): string {
  return `${JSON.stringify(notes)}\n`;
}

/** Undefined where the text is damaged. */
export function decodeUploadNotes(text: string): UploadNotes | undefined {
  try {
    return NOTES.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
