import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, symlinkSync } from "node:fs";
import { mkdir, readdir, readFile, rename, rm, statfs, symlink, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import type { Log } from "../base/log.ts";
import { systemCode } from "../base/system-errors.ts";
import { DomainError } from "../control/ports/errors.ts";
import type { MediaFile, MediaFiles, MediaSpace } from "../control/ports/media-files.ts";
import { FFMPEG_MISSING, type Ffmpeg } from "../ffmpeg/find-ffmpeg.ts";
import { appendContent, CONTENT, FRAME, readRecord, writeRecord } from "./file-record.ts";
import { readMedia } from "./read-format.ts";
import { ContentLooks, type ContentLooksDeps } from "./watched-content.ts";

/** Files in the library at most. */
const FILES_MAX = 1_000;
/** An upload leaves this much of the disk free: the database is on it too. */
const KEPT_FREE_BYTES = 512 * 1024 * 1024;
/** Files in the folder of one media file: its content, its record, and what is made of it. */
const KEPT_MAX = 20;
/** A file that is to be played waits until a watched folder that is away has been so for this long, in milliseconds. */
const AWAY_MS = 10_000;
const ID_BYTES = 6;
const ID_FORM = /^mf-[0-9a-f]{12}$/;

export type MediaLibraryDeps = {
  /** Made with the first upload. */
  readonly folder: string;
  readonly quotaBytes: number;
  /** Where files that are not uploaded lie; absent: there are none. */
  readonly watchFolder?: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly findFfmpeg: () => Ffmpeg | undefined;
  /** Bytes that are free on the disk of a folder. Default: as the system says. */
  readonly freeBytes?: (folder: string) => Promise<number>;
  /** Looks at a file of the watched folder. Default: at the disk. */
  readonly lookAtWatched?: ContentLooksDeps["look"];
};

/** A file of the watched folder. */
type WatchedFile = Required<Pick<MediaFile, "fileId" | "name" | "bytes" | "contentKey">> & Pick<MediaFile, "reason">;

/**
 * Files that people put on this server: each in a folder of its own, with what is known of it. Of a file of the watched
 * folder there is a link in place of its content: FFmpeg never sees its name.
 */
export class MediaLibrary implements MediaFiles {
  readonly #deps: MediaLibraryDeps;
  readonly #files = new Map<string, MediaFile>();
  readonly #busy = new Set<string>();
  readonly #stopping = new AbortController();
  readonly #looks: ContentLooks;
  /** Files are checked one after another. */
  #checks: Promise<void> = Promise.resolve();
  /** Also before the watched folder was looked at. */
  #isWatchedAway = true;
  /** Since when it is, on the clock's `awakeNow()`. */
  #awaySinceMs: number;
  /** Resolves when it is here. */
  #watchedCame = Promise.withResolvers<void>();

  constructor(deps: MediaLibraryDeps) {
    const { clock, lookAtWatched: look } = deps;
    this.#deps = deps;
    this.#awaySinceMs = clock.awakeNow();
    this.#looks = new ContentLooks({ clock, ...(look === undefined ? {} : { look }) });
  }

  /** Finds the files on the disk, and checks those that no check has finished. Call it once the folder is this process's. */
  load(): void {
    const { folder, log } = this.#deps;
    for (const fileId of this.#namesOnDisk()) {
      const file = readRecord(folder, fileId);
      // Files of a folder that is not watched any more.
      if (file?.contentKey !== undefined && this.#deps.watchFolder === undefined) continue;
      if (file !== undefined) this.#files.set(fileId, isWhole(file) ? uploaded(file) : file);
      if (file?.contentKey !== undefined) this.#linkAgain(file);
      if (file === undefined) log.warn("a media file's folder is not whole", { fileId });
    }
    for (const file of this.#files.values()) if (file.state === "checking") this.#check(file.fileId);
  }

  /** Ends running checks; they begin again at the next start. */
  async close(): Promise<void> {
    this.#stopping.abort();
    await this.#checks;
  }

  get isAvailable(): boolean {
    return this.#deps.findFfmpeg() !== undefined;
  }

  get space(): MediaSpace {
    const own = [...this.#files.values()].filter(({ contentKey }) => contentKey === undefined);
    const usedBytes = own.reduce((sum, { bytes }) => sum + bytes, 0);
    return { usedBytes, quotaBytes: this.#deps.quotaBytes };
  }

  list(): readonly MediaFile[] {
    return [...this.#files.values()].sort((left, right) => right.createdTime - left.createdTime);
  }

  get(fileId: string): MediaFile {
    const file = this.#files.get(fileId);
    if (file === undefined) throw new DomainError({ kind: "media-file-not-found" });
    return file;
  }

  path(fileId: string): string {
    return join(this.#deps.folder, this.get(fileId).fileId, CONTENT);
  }

  async problem(fileId: string): Promise<string | undefined> {
    const { name, contentKey } = this.get(fileId);
    if (contentKey === undefined) return undefined;
    if (this.#isWatchedAway && !(await this.#comesBack())) return "the watched folder cannot be read now";
    return this.#looks.problem(this.#watchedPath(name), contentKey);
  }

  /** Whether the watched folder is away, as its last look found. */
  setWatchedAway(isAway: boolean): void {
    if (!isAway) this.#watchedCame.resolve();
    else if (!this.#isWatchedAway) {
      this.#watchedCame = Promise.withResolvers();
      this.#awaySinceMs = this.#deps.clock.awakeNow();
    }
    this.#isWatchedAway = isAway;
  }

  /** Disks of the network are mounted beside the start of a server, and some are away for a moment. */
  #comesBack(): Promise<boolean> {
    const { clock } = this.#deps;
    const leftMs = this.#awaySinceMs + AWAY_MS - clock.awakeNow();
    if (leftMs <= 0) return Promise.resolve(false);
    return new Promise((resolve) => {
      const late = startDeadline(clock, leftMs, () => resolve(false));
      void this.#watchedCame.promise.then(() => {
        late.cancel();
        resolve(true);
      });
    });
  }

  /** The files of the watched folder. */
  watched(): readonly MediaFile[] {
    return [...this.#files.values()].filter(({ contentKey }) => contentKey !== undefined);
  }

  /**
   * Takes a file of the watched folder that is complete, in place of its former content, and checks it. `reason`: it is
   * refused unread. Returns false where the library has as many files as it may.
   */
  async adopt(found: WatchedFile): Promise<boolean> {
    const { folder, clock } = this.#deps;
    const { fileId, bytes, reason } = found;
    const before = this.#files.get(fileId);
    if (before === undefined && this.#files.size >= FILES_MAX) return false;
    const createdTime = before?.createdTime ?? clock.wallNow();
    const state = reason === undefined ? "checking" : "refused";
    const file: MediaFile = { ...found, receivedBytes: bytes, createdTime, state };
    await this.#forget(fileId);
    await mkdir(join(folder, fileId), { recursive: true, mode: 0o700 });
    await symlink(this.#watchedPath(file.name), join(folder, fileId, CONTENT));
    await writeRecord(folder, file);
    this.#files.set(fileId, file);
    if (state === "checking") this.#check(fileId);
    return true;
  }

  /** The same content of a watched file is known by this key from now on: its disk was mounted again. */
  async renew(fileId: string, contentKey: string): Promise<void> {
    const file = { ...this.get(fileId), contentKey };
    await writeRecord(this.#deps.folder, file);
    if (this.#files.has(fileId)) this.#files.set(fileId, { ...this.get(fileId), contentKey });
  }

  /** The file is not in the watched folder any more. */
  async dropWatched(fileId: string): Promise<void> {
    if (this.get(fileId).contentKey !== undefined) await this.#forget(fileId);
  }

  async create(name: string, bytes: number, fingerprint?: string): Promise<MediaFile> {
    const { folder, clock } = this.#deps;
    if (!this.isAvailable) throw new DomainError({ kind: "ffmpeg-missing" });
    const { usedBytes, quotaBytes } = this.space;
    if (this.#files.size >= FILES_MAX || usedBytes + bytes > quotaBytes) throw new DomainError({ kind: "media-quota" });
    const fileId = `mf-${randomBytes(ID_BYTES).toString("hex")}`;
    const file: MediaFile = {
      ...{ fileId, name, bytes, receivedBytes: 0 },
      ...{ createdTime: clock.wallNow(), state: "uploading" },
      ...(fingerprint === undefined ? {} : { fingerprint }),
    };
    // Counted from now on, so that uploads that begin together share the quota.
    this.#files.set(fileId, file);
    try {
      await mkdir(join(folder, fileId), { recursive: true, mode: 0o700 });
      if (!(await this.#hasRoom(bytes))) throw new DomainError({ kind: "media-disk-full" });
      await writeFile(join(folder, fileId, CONTENT), "", { mode: 0o600 });
      await writeRecord(folder, file);
    } catch (error) {
      this.#files.delete(fileId);
      await rm(join(folder, fileId), { recursive: true, force: true }).catch(() => undefined);
      throw diskError(error);
    }
    return file;
  }

  async append(fileId: string, fromByte: number, bytes: Buffer): Promise<MediaFile> {
    const before = this.get(fileId);
    const receivedBytes = fromByte + bytes.length;
    const fits = before.state === "uploading" && fromByte === before.receivedBytes && receivedBytes <= before.bytes;
    if (!fits || this.#busy.has(fileId)) throw new DomainError({ kind: "media-offset", at: before.receivedBytes });
    const isLast = receivedBytes === before.bytes;
    const file = isLast ? uploaded({ ...before, receivedBytes }) : { ...before, receivedBytes };
    this.#busy.add(fileId);
    try {
      if (!(await this.#hasRoom(bytes.length))) throw new DomainError({ kind: "media-disk-full" });
      await appendContent(this.path(fileId), fromByte, bytes, isLast);
      if (isLast) await writeRecord(this.#deps.folder, file);
    } catch (error) {
      this.get(fileId);
      throw diskError(error);
    } finally {
      this.#busy.delete(fileId);
    }
    // It may have been removed meanwhile.
    this.get(fileId);
    this.#files.set(fileId, file);
    if (isLast) this.#check(fileId);
    return file;
  }

  /**
   * Whether so much more leaves enough of the disk. Uploads that began together, recordings and other programs take the
   * same room, so each part of a file is checked.
   */
  async #hasRoom(bytes: number): Promise<boolean> {
    const { folder, freeBytes = systemFreeBytes } = this.#deps;
    return (await freeBytes(folder)) >= bytes + KEPT_FREE_BYTES;
  }

  async remove(fileId: string): Promise<MediaFile> {
    const file = this.get(fileId);
    if (file.contentKey !== undefined) throw new DomainError({ kind: "media-file-watched" });
    await this.#forget(fileId);
    return file;
  }

  async kept(fileId: string, name: string): Promise<Buffer | undefined> {
    return readFile(join(this.#deps.folder, this.get(fileId).fileId, name)).catch(() => undefined);
  }

  async keep(fileId: string, name: string, bytes: Buffer): Promise<void> {
    const folder = join(this.#deps.folder, this.get(fileId).fileId);
    if ((await readdir(folder)).length >= KEPT_MAX || !(await this.#hasRoom(bytes.length))) return;
    const path = join(folder, name);
    await writeFile(`${path}.new`, bytes, { mode: 0o600, flush: true });
    await rename(`${path}.new`, path);
  }

  async frame(fileId: string): Promise<Buffer | undefined> {
    const path = join(this.#deps.folder, this.get(fileId).fileId, FRAME);
    return readFile(path).catch(() => undefined);
  }

  /** Removes what the library itself has of it. */
  async #forget(fileId: string): Promise<void> {
    this.#files.delete(fileId);
    await rm(join(this.#deps.folder, fileId), { recursive: true, force: true });
  }

  #watchedPath(name: string): string {
    // A link counts from where it lies, and the setting from where the server was started.
    return resolve(this.#deps.watchFolder ?? "", name);
  }

  /** The watched folder may be another one since the last start. */
  #linkAgain({ fileId, name }: MediaFile): void {
    const link = join(this.#deps.folder, fileId, CONTENT);
    try {
      rmSync(link, { force: true });
      symlinkSync(this.#watchedPath(name), link);
    } catch (error) {
      this.#deps.log.warn("a file of the watched folder cannot be read", { fileId, detail: String(error) });
    }
  }

  #check(fileId: string): void {
    this.#checks = this.#checks
      .then(() => this.#checkNow(fileId))
      .catch((error: unknown) => {
        const detail = error instanceof Error ? error.message : String(error);
        this.#deps.log.error("a media file could not be checked", { fileId, detail });
      });
  }

  async #checkNow(fileId: string): Promise<void> {
    const { folder, findFfmpeg } = this.#deps;
    const { signal } = this.#stopping;
    const ffmpeg = findFfmpeg();
    const file = this.#files.get(fileId);
    if (file === undefined || signal.aborted) return;
    const path = this.path(fileId);
    const read = ffmpeg === undefined ? { reason: FFMPEG_MISSING } : await readMedia(ffmpeg, path, signal);
    // It may have been removed, or have another content by now, and the server may stop: then nothing was found out.
    if (this.#files.get(fileId) !== file || signal.aborted) return;
    if ("frame" in read) await writeFile(join(folder, fileId, FRAME), read.frame, { mode: 0o600 });
    const checked: MediaFile =
      "reason" in read ? refused(file, read) : { ...file, state: "ready", format: read.format };
    await writeRecord(folder, checked);
    if (this.#files.get(fileId) === file) this.#files.set(fileId, checked);
  }

  #namesOnDisk(): readonly string[] {
    try {
      return readdirSync(this.#deps.folder).filter((name) => ID_FORM.test(name));
    } catch (error) {
      if (systemCode(error) === "ENOENT") return [];
      throw error;
    }
  }
}

/** Whether all bytes of an upload are there, and its record does not say so: the server ended between the two. */
function isWhole({ state, receivedBytes, bytes }: MediaFile): boolean {
  return state === "uploading" && receivedBytes === bytes;
}

/** The file once its upload is over. */
function uploaded({ fingerprint: _fingerprint, ...file }: MediaFile): MediaFile {
  return { ...file, state: "checking" };
}

function refused(file: MediaFile, { reason }: { readonly reason: string }): MediaFile {
  return { ...file, state: "refused", reason };
}

async function systemFreeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

/** A full disk is told as such. */
function diskError(error: unknown): unknown {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT" ? new DomainError({ kind: "media-disk-full" }) : error;
}
