import type { ChannelSource } from "../channels/source.ts";
import type { MediaFile } from "../ports/media-files.ts";

/** Whether one of the source's files is ready among these; a pull needs none. Other kinds are those of a newer version. */
export function isPlayable(source: ChannelSource | undefined, files: readonly MediaFile[]): boolean {
  if (source?.kind !== "files") return source?.kind === "pull";
  const ready = new Set(files.flatMap(({ fileId, state }) => (state === "ready" ? [fileId] : [])));
  return source.fileIds.some((fileId) => ready.has(fileId));
}

/** The ids of the files that a source plays; none for a pull. */
export function filesOf(source: ChannelSource | undefined): readonly string[] {
  return source?.kind === "files" ? source.fileIds : [];
}
