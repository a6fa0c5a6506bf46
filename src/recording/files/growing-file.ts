import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { type MovieHeader, readMovieHeader } from "../../protocol/mp4/movie-header.ts";
import type { RecordingEnd, RecordingFile } from "../../thread-protocol/recordings/recordings.ts";
import type { GrowingFile } from "../container/stream-recorder.ts";
import { appendAll, type Disk, FILE_MODE, replaceFile, syncFolder } from "./disk.ts";
import { encodeNotes } from "./file-notes.ts";
import { type WholePart, writeDuration } from "./finish-file.ts";
import { mediaPath, notesPath } from "./recording-names.ts";

/** At most this often the disk is asked to store what it was given, in milliseconds. */
const SYNC_EVERY_MS = 350;

export type DiskFileDeps = {
  readonly disk: Disk;
  readonly clock: Clock;
  readonly folder: string;
  /** The server that makes it. */
  readonly server: string;
  /** Called with every change. */
  readonly onChange: (file: RecordingFile) => void;
  /** The disk did not take the end of the file. `known`: what it had stored before; undefined: nothing. */
  readonly onUnfinished: (file: RecordingFile, known: WholePart | undefined) => void;
};

/**
 * A file that is being written, with its notes beside it. Everything that was appended is on the disk within half a
 * second, also after a loss of power.
 */
export class DiskFile implements GrowingFile {
  readonly #deps: DiskFileDeps;
  readonly #descriptor: number;
  #file: RecordingFile;
  #header: MovieHeader | undefined;
  /** What the disk has stored for sure. */
  #stored: WholePart | undefined;
  #syncedMs: number;
  #isUnsynced = false;

  /** Makes the file. Throws where the disk does not let it. */
  constructor(file: RecordingFile, deps: DiskFileDeps) {
    const { disk, folder, clock, server } = deps;
    this.#deps = deps;
    this.#file = file;
    const path = mediaPath(folder, file);
    // First the file: notes without one would be a recording that never was.
    this.#descriptor = disk.openSync(path, "wx+", FILE_MODE);
    this.#syncedMs = clock.now();
    try {
      replaceFile(disk, notesPath(folder, file), encodeNotes(file, server));
      syncFolder(disk, dirname(path));
    } catch (error) {
      disk.closeSync(this.#descriptor);
      disk.unlinkSync(path);
      throw error;
    }
    deps.onChange(file);
  }

  get bytes(): number {
    return this.#file.bytes;
  }

  /** Only whole fragments and tags are appended at once: a part that the disk took of one is removed at the end. */
  append(chunks: readonly Uint8Array[], durationMs: number): void {
    const { disk, clock } = this.#deps;
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
    appendAll(disk, this.#descriptor, chunks);
    if (this.#file.bytes === 0 && this.#file.container === "mp4") {
      this.#header = readMovieHeader(Buffer.concat(chunks));
    }
    this.#isUnsynced = true;
    const longer = { ...this.#file, bytes: this.#file.bytes + bytes, durationMs: Math.round(durationMs) };
    if (clock.now() - this.#syncedMs >= SYNC_EVERY_MS) this.#sync(longer);
    this.#change(longer);
  }

  /** Call once. Throws where the disk takes the end no longer: the library finishes the file then, once it does. */
  finish(reason: RecordingEnd, durationMs: number): void {
    const { disk, folder, clock, server, onUnfinished } = this.#deps;
    const end = { reason, time: clock.wallNow() };
    this.#change({ ...this.#file, end, durationMs: Math.round(durationMs) });
    try {
      this.#close(durationMs);
      replaceFile(disk, notesPath(folder, this.#file), encodeNotes(this.#file, server));
    } catch (error) {
      onUnfinished(this.#file, this.#stored);
      throw error;
    }
  }

  #close(durationMs: number): void {
    const { disk } = this.#deps;
    try {
      disk.ftruncateSync(this.#descriptor, this.#file.bytes);
      if (this.#header !== undefined) writeDuration(disk, this.#descriptor, this.#header, durationMs);
      this.#sync(this.#file);
    } finally {
      disk.closeSync(this.#descriptor);
    }
  }

  /** Waits until the disk has stored the file up to here. */
  #sync({ bytes, durationMs }: WholePart): void {
    if (this.#isUnsynced) this.#deps.disk.fdatasyncSync(this.#descriptor);
    this.#isUnsynced = false;
    this.#stored = { bytes, durationMs };
    this.#syncedMs = this.#deps.clock.now();
  }

  #change(file: RecordingFile): void {
    this.#file = file;
    this.#deps.onChange(file);
  }
}
