import { createHash } from "node:crypto";
import type { BigIntStats, Dirent } from "node:fs";
import { lstat, opendir } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { MediaLibrary } from "./media-library.ts";
import { contentKeyOf } from "./watched-content.ts";

/** How often the folder is read, in milliseconds. A file that did not change in between is complete. */
const SCAN_MS = 5_000;
/** Names that are read of the folder at most. */
const NAMES_MAX = 5_000;
const NAME_CHARACTERS_MAX = 200;
const ID_LENGTH = 12;

export type WatchedFolderDeps = {
  readonly folder: string;
  readonly library: Pick<MediaLibrary, "isAvailable" | "watched" | "adopt" | "dropWatched">;
  readonly clock: Clock;
  readonly log: Log;
};

/** A file of the folder as one look finds it. `refusal`: why it is not taken. */
type Found = { readonly name: string; readonly bytes: number; readonly key: string; readonly refusal?: string };

/**
 * Brings the files of a folder into the library once they are complete, and takes those out of it that are gone. It reads
 * them where they are and never changes the folder.
 */
export class WatchedFolder {
  readonly #deps: WatchedFolderDeps;
  /** What the last look found: a file that has the same key again is complete. */
  #keys: ReadonlyMap<string, string> = new Map();
  /** What was logged; it is logged again once it was different. */
  #lastTrouble = "";
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: WatchedFolderDeps) {
    this.#deps = deps;
  }

  /** Looks now and again, until it is stopped. */
  async start(): Promise<void> {
    if (this.#isStopped) return;
    await this.scan();
    if (this.#isStopped) return;
    this.#timer = this.#deps.clock.startTimer(SCAN_MS, () => void this.start());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Looks once. Never rejects. */
  async scan(): Promise<void> {
    // Files that nothing can check wait.
    if (!this.#deps.library.isAvailable) return;
    try {
      const { found, isWhole } = await this.#read();
      await this.#take(found);
      if (isWhole) await this.#dropOthers(found);
      this.#keys = new Map([...found].map(([fileId, { key }]) => [fileId, key]));
      this.#trouble(isWhole ? "" : `only the first ${NAMES_MAX} names are read`);
    } catch (error) {
      this.#trouble(error instanceof Error ? error.message : String(error));
    }
  }

  async #read(): Promise<{ readonly found: ReadonlyMap<string, Found>; readonly isWhole: boolean }> {
    const found = new Map<string, Found>();
    let count = 0;
    for await (const entry of await opendir(this.#deps.folder)) {
      count += 1;
      if (count > NAMES_MAX) return { found, isWhole: false };
      const file = isTaken(entry) ? await this.#find(entry.name) : undefined;
      if (file !== undefined) found.set(fileIdOf(file.name), file);
    }
    return { found, isWhole: true };
  }

  async #find(name: string): Promise<Found | undefined> {
    let stats: BigIntStats;
    try {
      stats = await lstat(join(this.#deps.folder, name), { bigint: true });
    } catch {
      // It is gone by now.
      return undefined;
    }
    const file = { name, bytes: Number(stats.size), key: contentKeyOf(stats) };
    if (stats.isSymbolicLink()) return { ...file, bytes: 0, refusal: "It is a symbolic link." };
    if (!stats.isFile()) return { ...file, bytes: 0, refusal: "It is no regular file." };
    return stats.size === 0n ? undefined : file;
  }

  async #take(found: ReadonlyMap<string, Found>): Promise<void> {
    const { library } = this.#deps;
    const present = new Map(library.watched().map((file) => [file.fileId, file]));
    for (const [fileId, { name, bytes, key, refusal }] of found) {
      if (present.get(fileId)?.contentKey === key || this.#keys.get(fileId) !== key) continue;
      const reason = refusal === undefined ? {} : { reason: refusal };
      if (!(await library.adopt({ fileId, name, bytes, contentKey: key, ...reason }))) return;
    }
  }

  async #dropOthers(found: ReadonlyMap<string, Found>): Promise<void> {
    const { library } = this.#deps;
    for (const { fileId } of library.watched()) if (!found.has(fileId)) await library.dropWatched(fileId);
  }

  #trouble(detail: string): void {
    if (detail !== "" && detail !== this.#lastTrouble) {
      this.#deps.log.warn("the watched folder cannot be read as a whole", { folder: this.#deps.folder, detail });
    }
    this.#lastTrouble = detail;
  }
}

/** Hidden names are those of programs that still write. */
function isTaken(entry: Dirent): boolean {
  const { name } = entry;
  if (entry.isDirectory() || name.startsWith(".")) return false;
  return name.length <= NAME_CHARACTERS_MAX && name.isWellFormed() && !/\p{Cc}/u.test(name);
}

/** The same for the same name: a file that replaces another one keeps its place in playlists and schedules. */
function fileIdOf(name: string): string {
  return `mf-${createHash("sha256").update(`watched ${name}`).digest("hex").slice(0, ID_LENGTH)}`;
}
