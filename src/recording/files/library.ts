import { basename, join } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { systemCode } from "../../base/system-errors.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { RecordingBytes, RecordingReply } from "../../thread-protocol/recordings/recorder-messages.ts";
import type { RecordingFile, RecordingKey, RecordingUpload } from "../../thread-protocol/recordings/recordings.ts";
import type { FileStart, GrowingFile } from "../container/stream-recorder.ts";
import { type Disk, makeFolder, replaceFile } from "./disk.ts";
import { decodeNotes, encodeNotes, NOTES_BYTES_MAX } from "./file-notes.ts";
import { finishFile, type WholePart } from "./finish-file.ts";
import { ForeignFiles } from "./foreign-files.ts";
import { DiskFile } from "./growing-file.ts";
import { KnownDisk } from "./known-disk.ts";
import {
  isChannelFolder,
  keyOf,
  mediaPath,
  newRecordingId,
  notesPath,
  readName,
  startTimeOf,
  uploadNotesPath,
} from "./recording-names.ts";

export type LibraryDeps = {
  readonly disk: Disk;
  readonly clock: Clock;
  /** Where recordings are: a folder for each channel. */
  readonly folder: string;
  /** Another text for each server. */
  readonly server: string;
  /** Called with every new and changed file. */
  readonly onFile: (file: RecordingFile) => void;
  /** `uploadNotes`: how far its upload was. */
  readonly onGone: (file: RecordingKey, cause: "deleted" | "too-old" | "too-many", uploadNotes?: string) => void;
  /** For the log. */
  readonly onWarning: (name: string, detail: string) => void;
};

/** Ten thousand tags of parts. */
const UPLOAD_NOTES_BYTES_MAX = 2 * 1024 * 1024;

/** Among what could not be read: the folder itself. No channel has this id. */
const WHOLE_FOLDER = "folder";

type Found = Pick<RecordingFile, "channelId" | "recordingId" | "container">;
type Deletion = Extract<RecordingReply, { kind: "delete" }>["result"];

/**
 * All recordings in the folder. Names are made here and looked up here, so nothing outside of the folder can be named;
 * files that this server did not make are left alone.
 */
export class Library {
  readonly #deps: LibraryDeps;
  readonly #files = new Map<string, RecordingFile>();
  readonly #usedBytes = new Map<ChannelId, number>();
  /** Files of this process whose end the disk did not take, with what it had stored before, by key. */
  readonly #unfinished = new Map<string, WholePart | undefined>();
  /** What could not be read: the folder, a channel's folder, or a file. */
  #unread = new Set<string>();
  /** The same at the last look: what is in it was reported. */
  #unreadBefore = new Set<string>();
  /** Files that the disk does not let go. */
  readonly #unremoved = new Set<string>();
  readonly #foreign: ForeignFiles;
  readonly #disk: KnownDisk;

  constructor(deps: LibraryDeps) {
    this.#deps = deps;
    this.#disk = new KnownDisk(deps.disk, deps.folder);
    this.#foreign = new ForeignFiles(deps.clock);
  }

  get files(): Iterable<RecordingFile> {
    return this.#files.values();
  }

  /** Whether it has ended and the disk has its end. */
  isFinished(file: RecordingFile): boolean {
    return file.end !== undefined && !this.#unfinished.has(keyOf(file));
  }

  /** Bytes of a channel's recordings. */
  usedBytes(channelId: ChannelId): number {
    return this.#usedBytes.get(channelId) ?? 0;
  }

  /**
   * Reads the folder, and finishes what a crash left unfinished. A crash in the middle of that leaves it to the next call.
   * What is known and finished is not read again. Throws where the folder cannot be used.
   */
  load(): void {
    const { disk, folder } = this.#deps;
    this.#unreadBefore = this.#unread;
    this.#unread = new Set([WHOLE_FOLDER]);
    makeFolder(disk, folder);
    for (const { name, isFolder } of this.#list(folder)) {
      if (isFolder && isChannelFolder(name)) this.#guard(name, () => this.#loadChannel(name));
    }
    this.#disk.note(this.#finished, this.files);
    this.#unread.delete(WHOLE_FOLDER);
  }

  /**
   * Reads again what could not be read, finishes files whose disk was away when they ended, and forgets those that
   * somebody removed. Call it from time to time. Does nothing where there is nothing to do, or the disk is still away.
   */
  lookAgain(): void {
    try {
      if (!this.#disk.isThere(this.#finished)) return;
      if (this.#unread.size > 0 || this.#unfinished.size > 0) this.load();
      if (!this.#disk.isKnown) return;
      this.#forgetRemoved();
      this.#disk.note(this.#finished, this.files);
    } catch {
      // The recordings that this ends are reported, each with its reason.
    }
  }

  get #finished(): readonly RecordingFile[] {
    return [...this.#files.values()].filter((file) => this.isFinished(file));
  }

  /** What a person removed counts for no quota, and is not waited for. */
  #forgetRemoved(): void {
    const { folder, onWarning } = this.#deps;
    const byChannel = Map.groupBy(this.#files.values(), ({ channelId }) => channelId);
    const folders = new Set(this.#list(folder).map(({ name }) => name));
    for (const [channelId, files] of byChannel) {
      const entries = folders.has(channelId) ? this.#list(join(folder, channelId)) : [];
      const names = new Set(entries.map(({ name }) => name));
      for (const file of files) {
        const path = mediaPath(folder, file);
        if (!this.isFinished(file) || names.has(basename(path)) || this.#isOnDisk(path)) continue;
        onWarning("recording is not in its folder any more", keyOf(file));
        this.delete(file);
      }
    }
  }

  /** Whether the disk knows it, or does not say that it does not. */
  #isOnDisk(path: string): boolean {
    try {
      this.#deps.disk.lstatSync(path);
      return true;
    } catch (error) {
      return systemCode(error) !== "ENOENT";
    }
  }

  /** Begins a file. Throws where the disk does not let it. */
  create(channelId: ChannelId, startTime: number, { container, tracks }: Omit<FileStart, "offsetMs">): GrowingFile {
    const { disk, clock, folder, server } = this.#deps;
    if (!isChannelFolder(channelId)) throw new Error(`no channel has the id ${channelId}`);
    makeFolder(disk, join(folder, channelId));
    const recordingId = newRecordingId(startTime, (id) => this.#files.has(keyOf({ channelId, recordingId: id })));
    if (recordingId === undefined) throw new Error("too many recordings in one second");
    const file = { channelId, recordingId, container, startTime, durationMs: 0, bytes: 0, tracks };
    try {
      const made = new DiskFile(file, {
        ...{ disk, clock, folder, server },
        onChange: (changed) => this.#set(changed),
        onUnfinished: (ended, known) => this.#unfinished.set(keyOf(ended), known),
      });
      this.#disk.begun(file);
      return made;
    } catch (error) {
      // A part of it may be there.
      this.#unread.add(channelId);
      throw error;
    }
  }

  /** Returns a part of a file, also of one that is being written. */
  read(key: RecordingKey, from: number, length: number): RecordingBytes {
    const { disk, folder } = this.#deps;
    const file = this.#files.get(keyOf(key));
    if (file === undefined) return { found: "none" };
    try {
      const descriptor = disk.openSync(mediaPath(folder, file), "r");
      try {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, file.bytes - from)));
        const got = bytes.length === 0 ? 0 : disk.readSync(descriptor, bytes, 0, bytes.length, from);
        return { found: "bytes", bytes: got === bytes.length ? bytes : bytes.slice(0, got) };
      } finally {
        disk.closeSync(descriptor);
      }
    } catch (error) {
      return { found: "failed", detail: textOf(error) };
    }
  }

  /** Removes a file that is not being written. */
  delete(key: RecordingKey, cause: "deleted" | "too-old" | "too-many" = "deleted"): Deletion {
    const { disk, folder, onGone, onWarning } = this.#deps;
    const file = this.#files.get(keyOf(key));
    if (file === undefined) return "not-found";
    if (file.end === undefined) return "in-use";
    const uploadNotes = file.upload === undefined ? undefined : this.readUploadNotes(file);
    try {
      removeIfThere(disk, mediaPath(folder, file));
      for (const path of [notesPath(folder, file), uploadNotesPath(folder, file)])
        for (const each of [path, `${path}.new`]) removeIfThere(disk, each);
    } catch (error) {
      // It is tried again each minute. A disk that takes nothing must not fill the log.
      if (!this.#unremoved.has(keyOf(key))) onWarning("recording not removed", `${keyOf(key)}: ${textOf(error)}`);
      this.#unremoved.add(keyOf(key));
      return "failed";
    }
    this.#unremoved.delete(keyOf(key));
    this.#disk.gone(key);
    this.#files.delete(keyOf(key));
    this.#unfinished.delete(keyOf(key));
    this.#usedBytes.set(file.channelId, this.usedBytes(file.channelId) - file.bytes);
    onGone({ channelId: file.channelId, recordingId: file.recordingId }, cause, uploadNotes);
    return "deleted";
  }

  /** How far a file's upload is, as `writeUploadNotes` wrote it; undefined where there is nothing. */
  readUploadNotes(file: RecordingKey): string | undefined {
    return this.#readText(uploadNotesPath(this.#deps.folder, file), UPLOAD_NOTES_BYTES_MAX);
  }

  /** Throws where the disk does not take it. Does nothing where the file is gone. */
  writeUploadNotes(file: RecordingKey, text: string): void {
    const { disk, folder } = this.#deps;
    if (this.#files.has(keyOf(file))) replaceFile(disk, uploadNotesPath(folder, file), text);
  }

  /** Sets how a file's upload stands. False where the file is gone. */
  setUpload(key: RecordingKey, upload: RecordingUpload): boolean {
    const file = this.#files.get(keyOf(key));
    if (file !== undefined) this.#set({ ...file, upload });
    return file !== undefined;
  }

  has(key: RecordingKey): boolean {
    return this.#files.has(keyOf(key));
  }

  /** A word that is another one once somebody changes the file. Throws where its size is not the recorded one. */
  stampOf(file: RecordingFile): string {
    const { disk, folder } = this.#deps;
    const { size, mtimeMs } = disk.lstatSync(mediaPath(folder, file));
    if (size !== file.bytes)
      throw new Error(`the file is ${size < file.bytes ? "shorter" : "longer"} than it was recorded`);
    return `${size}-${mtimeMs}`;
  }

  /** A part of a file as an upload sends it. Throws where it cannot be read as a whole. */
  readWhole(key: RecordingKey, from: number, length: number): Uint8Array {
    const part = this.read(key, from, length);
    if (part.found === "failed") throw new Error(part.detail);
    const bytes = part.found === "none" ? new Uint8Array() : part.bytes;
    if (bytes.length < length) throw new Error("the file is shorter than it was recorded");
    return bytes;
  }

  #set(file: RecordingFile): void {
    const before = this.#files.get(keyOf(file))?.bytes ?? 0;
    this.#usedBytes.set(file.channelId, this.usedBytes(file.channelId) + file.bytes - before);
    this.#files.set(keyOf(file), file);
    this.#deps.onFile(file);
  }

  #loadChannel(channelId: ChannelId): void {
    for (const { name, isFile } of this.#list(join(this.#deps.folder, channelId))) {
      const read = isFile ? readName(name) : undefined;
      if (read === undefined || read.what === "notes" || read.what === "upload") continue;
      const found = { channelId, recordingId: read.recordingId, container: read.what };
      const key = keyOf(found);
      if (this.#files.has(key) && !this.#unfinished.has(key)) continue;
      this.#guard(key, () => {
        const file = this.#readNotes(found) ?? this.#finishFound(found);
        this.#unfinished.delete(key);
        this.#foreign.forget(key);
        if (file !== undefined) this.#set(file);
        else this.#forget(key);
      });
    }
  }

  /**
   * A finished file; undefined where it is unfinished, or without notes that fit it. A finished one of another size was
   * changed by somebody else, with a program for videos for example: it stays as it is.
   */
  #readNotes(found: Found): RecordingFile | undefined {
    const { disk, folder, onWarning } = this.#deps;
    const notes = this.#notes(found)?.notes;
    if (notes?.end === undefined || notes.container !== found.container) return undefined;
    const { size: bytes } = disk.lstatSync(mediaPath(folder, found));
    if (bytes !== notes.bytes)
      onWarning("recording was changed", `${keyOf(found)}: ${bytes} bytes in place of ${notes.bytes}`);
    return { ...notes, channelId: found.channelId, recordingId: found.recordingId, bytes };
  }

  #notes(key: RecordingKey) {
    const text = this.#readText(notesPath(this.#deps.folder, key), NOTES_BYTES_MAX);
    return text === undefined ? undefined : decodeNotes(text);
  }

  /** Undefined where it cannot be read: without notes the file itself says what it is. */
  #readText(path: string, bytesMax: number): string | undefined {
    const { disk } = this.#deps;
    try {
      const descriptor = disk.openSync(path, "r");
      try {
        // There may be very many files: no more memory than each needs.
        const bytes = Buffer.allocUnsafe(Math.min(bytesMax, disk.fstatSync(descriptor).size));
        return bytes.toString("utf8", 0, disk.readSync(descriptor, bytes, 0, bytes.length, 0));
      } finally {
        disk.closeSync(descriptor);
      }
    } catch {
      return undefined;
    }
  }

  /**
   * Finishes a file that a crash, or a disk that was away, left. One without any media is removed. Throws where another server
   * may still write it.
   */
  #finishFound(found: Found): RecordingFile | undefined {
    const { disk, folder, server, onWarning } = this.#deps;
    const { channelId, recordingId, container } = found;
    const { notes, server: maker = server } = this.#notes(found) ?? {};
    const path = mediaPath(folder, found);
    if (maker !== server && !this.#foreign.isLeft(keyOf(found), disk.lstatSync(path).size))
      throw new Error("another server makes this file, and each needs a folder of its own");
    const descriptor = disk.openSync(path, "r+");
    let whole: WholePart | undefined;
    try {
      whole = finishFile(disk, descriptor, container, this.#unfinished.get(keyOf(found)));
    } finally {
      disk.closeSync(descriptor);
    }
    if (whole === undefined) {
      // Notes are there before media are. A file without has no more than its name from us.
      if (notes === undefined && disk.lstatSync(path).size > 0) {
        onWarning("file without media left alone", keyOf(found));
        return undefined;
      }
      onWarning("recording without media removed", keyOf(found));
      disk.unlinkSync(path);
      removeIfThere(disk, notesPath(folder, found));
      return undefined;
    }
    const startTime = notes?.startTime ?? startTimeOf(recordingId);
    const end = notes?.end ??
      this.#files.get(keyOf(found))?.end ?? { reason: "SERVER_LOST", time: startTime + whole.durationMs };
    const file = { channelId, recordingId, container, startTime, end, ...whole, tracks: notes?.tracks ?? [] };
    replaceFile(disk, notesPath(folder, file), encodeNotes(file, server));
    onWarning("recording finished afterwards", `${keyOf(file)}: ${whole.durationMs} ms`);
    return file;
  }

  /** A file of this process turned out to have no media. */
  #forget(key: string): void {
    const file = this.#files.get(key);
    if (file === undefined) return;
    const { channelId, recordingId, bytes } = file;
    this.#disk.gone(file);
    this.#files.delete(key);
    this.#usedBytes.set(channelId, this.usedBytes(channelId) - bytes);
    this.#deps.onGone({ channelId, recordingId }, "deleted");
  }

  /** Names of a folder. Links are neither files nor folders here. */
  #list(path: string): readonly { readonly name: string; readonly isFolder: boolean; readonly isFile: boolean }[] {
    return this.#deps.disk
      .readdirSync(path, { withFileTypes: true })
      .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory(), isFile: entry.isFile() }));
  }

  /** One damaged file must not hide the others. It is tried again, and reported once. */
  #guard(what: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      if (!this.#unreadBefore.has(what)) this.#deps.onWarning("recording not read", `${what}: ${textOf(error)}`);
      this.#unread.add(what);
    }
  }
}

function removeIfThere(disk: Disk, path: string): void {
  try {
    disk.unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
