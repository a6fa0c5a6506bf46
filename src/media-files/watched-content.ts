import { type BigIntStats, lstatSync } from "node:fs";

/** Another text where the content may be another one. */
export function contentKeyOf({ dev, ino, size, mtimeNs }: BigIntStats): string {
  return `${dev}-${ino}-${size}-${mtimeNs}`;
}

/** Why a file of the watched folder cannot be read now, as part of a sentence; undefined where it can. */
export function contentProblem(path: string, contentKey: string): string | undefined {
  try {
    const stats = lstatSync(path, { bigint: true });
    if (!stats.isFile()) return "it is no regular file any more";
    return contentKeyOf(stats) === contentKey ? undefined : "it was changed in the watched folder and is checked again";
  } catch {
    return "it was removed from the watched folder";
  }
}
