import { type FilesSource, PICTURE_SECONDS } from "../channels/source.ts";
import type { MediaFile } from "../ports/media-files.ts";
import type { PlayPlace } from "../sources/sources.ts";

const MS_PER_SECOND = 1_000;

/** How long a file plays, in milliseconds: 0 for one that cannot be played, undefined where it is not known. */
function lengthOf(file: MediaFile | undefined): number | undefined {
  if (file?.state !== "ready" || file.format === undefined) return 0;
  return file.format.kind === "picture" ? PICTURE_SECONDS * MS_PER_SECOND : file.format.durationMs;
}

/** How long the files play, in milliseconds: Infinity where that is not known, and in a loop. */
export function playLength({ fileIds, isLooped }: FilesSource, files: ReadonlyMap<string, MediaFile>): number {
  if (isLooped) return Infinity;
  return fileIds.reduce((sum, fileId) => sum + (lengthOf(files.get(fileId)) ?? Infinity), 0);
}

/**
 * Where the files would be, had they begun so long ago; undefined where they would be over. A file whose length is not
 * known is joined at its beginning.
 */
export function placeAfter(
  { fileIds, isLooped }: FilesSource,
  files: ReadonlyMap<string, MediaFile>,
  agoMs: number,
): PlayPlace | undefined {
  const lengths = fileIds.map((fileId) => lengthOf(files.get(fileId)));
  const wholeMs = lengths.reduce<number>((sum, length) => sum + (length ?? Infinity), 0);
  let leftMs = isLooped && wholeMs > 0 && wholeMs < Infinity ? agoMs % wholeMs : agoMs;
  for (const [position, length] of lengths.entries()) {
    if (length === undefined) return { position, offsetMs: 0 };
    if (leftMs < length) return { position, offsetMs: leftMs };
    leftMs -= length;
  }
  return undefined;
}
