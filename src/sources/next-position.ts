import type { FilesSource } from "../control/channels/source.ts";

/**
 * Which file comes after the present one. The list may have been changed since it began: the present file is found
 * again where it is now; one that is gone is followed by what has its place.
 */
export function nextPosition(
  { fileIds, isLooped }: FilesSource,
  present: { readonly position: number; readonly fileId: string },
): number | undefined {
  const next = placeOf(fileIds, present) + 1;
  if (next < fileIds.length) return next;
  return isLooped && fileIds.length > 0 ? 0 : undefined;
}

function placeOf(fileIds: readonly string[], { position, fileId }: { position: number; fileId: string }): number {
  if (fileIds[position] === fileId) return position;
  const places = fileIds.flatMap((each, index) => (each === fileId ? [index] : []));
  const [nearest] = places.sort((left, right) => Math.abs(left - position) - Math.abs(right - position));
  return nearest ?? Math.min(position, fileIds.length) - 1;
}
