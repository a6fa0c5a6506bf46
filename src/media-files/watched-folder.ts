import { createHash } from "node:crypto";
import type { BigIntStats } from "node:fs";
import { lstat, opendir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { systemCode } from "../base/system-errors.ts";
import type { MediaLibrary } from "./media-library.ts";
import { contentKeyOf, isOnDisk, isSameContent } from "./watched-content.ts";

/** How often the folder is read, in milliseconds. A file that did not change in between is complete. */
const SCAN_MS = 5_000;
/** Names that are read of the folder at most. */
const NAMES_MAX = 5_000;
const NAME_CHARACTERS_MAX = 200;
const ID_LENGTH = 12;
/** Names that begin with it are those of programs that still write. */
const HIDDEN = ".";
/** Stands for bytes of a name that are not UTF-8. */
const UNREADABLE = "\ufffd";
const FULL = "the library has as many files as it may: not all of its files are in it";
const UNMOUNTED = "it is empty, and on another disk than its files were: its disk may not be mounted";

export type WatchedFolderDeps = {
  readonly folder: string;
  readonly library: Pick<
    MediaLibrary,
    "isAvailable" | "watched" | "adopt" | "renew" | "dropWatched" | "setWatchedAway"
  >;
  readonly clock: Clock;
  readonly log: Log;
};

/** A file of the folder as one look finds it. `refusal`: why it is not taken. */
type Found = { readonly name: string; readonly bytes: number; readonly key: string; readonly refusal?: string };
/** What one look finds. `disk`: the number of the folder's disk. */
type Look = {
  readonly found: ReadonlyMap<string, Found>;
  readonly disk: bigint;
  /** Why something may be missing in it; undefined where it is whole. */
  readonly missing: string | undefined;
};

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
      const look = await this.#read().catch((error: unknown) => textOf(error));
      const isAway = typeof look === "string" || this.#isUnmounted(look);
      this.#deps.library.setWatchedAway(isAway);
      if (isAway) return this.#trouble(typeof look === "string" ? look : UNMOUNTED);
      const { found, missing } = look;
      const areAllTaken = await this.#take(found);
      if (missing === undefined) await this.#dropOthers(found);
      this.#keys = new Map([...found].map(([fileId, { key }]) => [fileId, key]));
      this.#trouble(missing ?? (areAllTaken ? "" : FULL));
    } catch (error) {
      this.#trouble(textOf(error));
    }
  }

  async #read(): Promise<Look> {
    const { folder } = this.#deps;
    const found = new Map<string, Found>();
    const { dev: disk } = await stat(folder, { bigint: true });
    let count = 0;
    let missing: string | undefined;
    for await (const entry of await opendir(folder)) {
      count += 1;
      if (count > NAMES_MAX) return { found, disk, missing: `only the first ${NAMES_MAX} names are read` };
      if (entry.isDirectory() || entry.name.startsWith(HIDDEN)) continue;
      try {
        const file = await this.#find(entry.name, disk);
        if (file !== undefined) found.set(fileIdOf(entry.name), file);
      } catch (error) {
        // A disk that fails has not lost its files.
        missing ??= textOf(error);
      }
    }
    return { found, disk, missing };
  }

  /** An empty folder where the disk with the files was: they are to be there when it is mounted again. */
  #isUnmounted({ found, disk }: Look): boolean {
    const known = this.#deps.library.watched();
    return found.size === 0 && known.length > 0 && known.every(({ contentKey = "" }) => !isOnDisk(contentKey, disk));
  }

  async #find(name: string, disk: bigint): Promise<Found | undefined> {
    const shown = shownName(name);
    const refused = { name: shown, bytes: 0, key: contentKeyOf({ size: 0n, mtimeNs: 0n }, disk) };
    if (shown !== name) return { ...refused, refusal: "Its name is too long, or has characters that cannot be shown." };
    let stats: BigIntStats;
    try {
      stats = await lstat(join(this.#deps.folder, name), { bigint: true });
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      // It is gone by now, or its name was read with other letters than it has.
      return name.includes(UNREADABLE) ? { ...refused, refusal: "Its name is not in UTF-8." } : undefined;
    }
    const file = { name, bytes: Number(stats.size), key: contentKeyOf(stats, disk) };
    if (stats.isSymbolicLink()) return { ...file, bytes: 0, refusal: "It is a symbolic link." };
    if (!stats.isFile()) return { ...file, bytes: 0, refusal: "It is no regular file." };
    return stats.size === 0n ? undefined : file;
  }

  /** Returns whether the library has room for all of them. One that it has not keeps no other one out that it has already. */
  async #take(found: ReadonlyMap<string, Found>): Promise<boolean> {
    const { library } = this.#deps;
    let areAllTaken = true;
    const present = new Map(library.watched().map((file) => [file.fileId, file]));
    for (const [fileId, { name, bytes, key, refusal }] of found) {
      const { contentKey, state } = present.get(fileId) ?? {};
      if (contentKey === key || this.#keys.get(fileId) !== key) continue;
      if (contentKey !== undefined && isSameContent(contentKey, key)) {
        if (state !== "checking") await library.renew(fileId, key);
        continue;
      }
      const reason = refusal === undefined ? {} : { reason: refusal };
      areAllTaken = (await library.adopt({ fileId, name, bytes, contentKey: key, ...reason })) && areAllTaken;
    }
    return areAllTaken;
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

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The name as answers may have it: another one where it cannot be a file's name here. */
function shownName(name: string): string {
  const shown = name.toWellFormed().replace(/\p{Cc}/gu, "?");
  return shown.length <= NAME_CHARACTERS_MAX ? shown : `${shown.slice(0, NAME_CHARACTERS_MAX - 1).toWellFormed()}…`;
}

/** The same for the same name: a file that replaces another one keeps its place in playlists and schedules. */
function fileIdOf(name: string): string {
  return `mf-${createHash("sha256").update(`watched ${name}`).digest("hex").slice(0, ID_LENGTH)}`;
}
