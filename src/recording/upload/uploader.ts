import type { Clock, Timer } from "../../base/clock.ts";
import type { RecordingFile, RecordingKey, RecordingUpload } from "../../thread-protocol/recordings/recordings.ts";
import type { Library } from "../files/library.ts";
import { type ObjectStore, ObjectStoreError } from "./object-store.ts";
import { decodeUploadNotes, encodeUploadNotes, type UploadNotes } from "./upload-notes.ts";

/** S3's least size of a part that is not the last, with a margin, in bytes. */
const PART_BYTES_MIN = 8 * 1024 * 1024;
/** S3's most parts of an object. */
const PARTS_MAX = 10_000;
/** The first retry, in milliseconds; each waits twice as long as the one before it, up to the longest. */
const RETRY_MS = 5_000;
const RETRY_MS_MAX = 300_000;
/** A store that cannot be reached is reported at this attempt: after about a minute. A refusal is reported at once. */
const REPORTED_ATTEMPT = 5;

export type UploaderDeps = {
  readonly store: ObjectStore;
  readonly library: Library;
  readonly clock: Clock;
  readonly random: () => number;
  /** Comes before the names of all objects. */
  readonly prefix: string;
  /** Called when an upload is done, and when it fails in a way that a person should know. */
  readonly onResult: (file: RecordingFile, upload: RecordingUpload) => void;
};

/**
 * Uploads finished files, the oldest first and one at a time, in parts. A failed one is tried again until it is there;
 * what was sent already is not sent again, also after a restart.
 */
export class Uploader {
  readonly #deps: UploaderDeps;
  /** Failed attempts of each file in a row. */
  readonly #attempts = new Map<string, number>();
  readonly #dueMs = new Map<string, number>();
  /** Files that wait for the store, and not for themselves. */
  readonly #waitForStore = new Set<string>();
  readonly #reported = new Set<string>();
  /** How far uploads are whose notes the disk did not take: a full disk must not keep files from leaving it. */
  readonly #unkept = new Map<string, UploadNotes>();
  #isBusy = false;
  #timer: Timer | undefined;

  constructor(deps: UploaderDeps) {
    this.#deps = deps;
  }

  /** Looks for a file to upload. Call it at the start and when a file is finished. */
  look(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#isBusy) return;
    this.#keepLate();
    const nowMs = this.#deps.clock.now();
    const waiting = [...this.#deps.library.files]
      .filter((file) => this.#deps.library.isFinished(file) && !this.#isDone(file))
      .sort((left, right) => left.startTime - right.startTime);
    const due = waiting.find((file) => (this.#dueMs.get(keyOf(file)) ?? 0) <= nowMs);
    if (due !== undefined) {
      this.#isBusy = true;
      void this.#upload(due).finally(() => {
        this.#isBusy = false;
        this.look();
      });
      return;
    }
    const nextMs = Math.min(...waiting.map((file) => this.#dueMs.get(keyOf(file)) ?? nowMs));
    if (waiting.length > 0) this.#timer = this.#deps.clock.startTimer(nextMs - nowMs, () => this.look());
  }

  /** The file is deleted: gives its upload up. */
  deleted(file: RecordingKey, notesText: string | undefined): void {
    const key = keyOf(file);
    const notes = this.#unkept.get(key) ?? (notesText === undefined ? undefined : decodeUploadNotes(notesText));
    this.#unkept.delete(key);
    this.#attempts.delete(key);
    this.#dueMs.delete(key);
    this.#waitForStore.delete(key);
    this.#reported.delete(key);
    if (notes?.uploadId !== undefined) this.#giveUp(notes.name, notes.uploadId);
  }

  /** What stays there nevertheless is for the bucket's own rules. */
  #giveUp(name: string, uploadId: string): void {
    this.#deps.store.abort(name, uploadId).catch(() => undefined);
  }

  #isDone(file: RecordingFile): boolean {
    if (file.upload?.state === "UPLOADED") return true;
    if (file.upload !== undefined) return false;
    const notes = this.#notes(file);
    const sent = notes?.isDone === true ? file.bytes : 0;
    this.#set(file, { state: notes?.isDone === true ? "UPLOADED" : "WAITING", sentBytes: sent });
    return notes?.isDone === true;
  }

  async #upload(file: RecordingFile): Promise<void> {
    const key = keyOf(file);
    try {
      if (!(await this.#send(file))) return;
      this.#attempts.delete(key);
      this.#reported.delete(key);
      // The store is there: others that waited for it need not wait longer.
      for (const waiting of this.#waitForStore) this.#dueMs.delete(waiting);
      this.#waitForStore.clear();
      const done: RecordingUpload = { state: "UPLOADED", sentBytes: file.bytes };
      if (this.#set(file, done)) this.#deps.onResult(file, done);
    } catch (error) {
      if (this.#isThere(file)) this.#failed(file, error);
    }
  }

  /** False where the file was deleted meanwhile: then nothing of it stays at the store. */
  async #send(file: RecordingFile): Promise<boolean> {
    const { store, library } = this.#deps;
    const stamp = library.stampOf(file);
    let notes = this.#notesOf(file, stamp);
    const uploadId = notes.uploadId ?? (await store.begin(notes.name, TYPES[file.container]));
    notes = { ...notes, uploadId };
    const parts = Math.max(1, Math.ceil(file.bytes / notes.partBytes));
    for (let index = notes.tags.length; this.#isThere(file); index += 1) {
      this.#keep(file, notes);
      if (index >= parts) {
        if (library.stampOf(file) !== stamp) throw new Error("the file was changed while it was uploaded");
        await store.complete(notes.name, uploadId, notes.tags);
        const { uploadId: _done, ...rest } = notes;
        this.#keep(file, { ...rest, isDone: true });
        return true;
      }
      const from = index * notes.partBytes;
      const bytes = library.readWhole(file, from, Math.min(notes.partBytes, file.bytes - from));
      this.#set(file, { state: "UPLOADING", sentBytes: from });
      const tag = await store.send(notes.name, uploadId, index + 1, bytes);
      notes = { ...notes, tags: [...notes.tags, tag] };
    }
    this.#giveUp(notes.name, uploadId);
    return false;
  }

  #isThere(file: RecordingKey): boolean {
    return this.#deps.library.has(file);
  }

  #failed(file: RecordingFile, error: unknown): void {
    const { clock, random, onResult } = this.#deps;
    const key = keyOf(file);
    const attempts = (this.#attempts.get(key) ?? 0) + 1;
    this.#attempts.set(key, attempts);
    const delayMs = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempts - 1, 10));
    this.#dueMs.set(key, clock.now() + delayMs * (0.75 + random() / 2));
    const failure = error instanceof ObjectStoreError ? error.failure : undefined;
    if (failure === "forgotten") this.#keep(file, newNotes(this.#deps.prefix, file));
    const isRefusal = failure === "refused";
    if (isRefusal || failure === "unreachable") this.#waitForStore.add(key);
    else this.#waitForStore.delete(key);
    const detail = error instanceof Error ? error.message : String(error);
    const isWorthTelling = isRefusal || attempts >= REPORTED_ATTEMPT || this.#reported.has(key);
    const upload: RecordingUpload = {
      state: isWorthTelling ? "FAILED" : "WAITING",
      sentBytes: file.upload?.sentBytes ?? 0,
      detail,
    };
    if (!this.#set(file, upload) || !isWorthTelling || this.#reported.has(key)) return;
    this.#reported.add(key);
    onResult(file, upload);
  }

  /** False where the file is gone. */
  #set(file: RecordingFile, upload: RecordingUpload): boolean {
    return this.#deps.library.setUpload(file, upload);
  }

  #notes(file: RecordingFile): UploadNotes | undefined {
    const unkept = this.#unkept.get(keyOf(file));
    if (unkept !== undefined) return unkept;
    const text = this.#deps.library.readUploadNotes(file);
    return text === undefined ? undefined : decodeUploadNotes(text);
  }

  /** Where the disk does not take the notes, the upload goes on without: at worst a restart sends something again. */
  #keep(file: RecordingKey, notes: UploadNotes): void {
    const key = keyOf(file);
    try {
      this.#deps.library.writeUploadNotes(file, encodeUploadNotes(notes));
      this.#unkept.delete(key);
    } catch {
      this.#unkept.set(key, notes);
    }
  }

  /** The disk may take again what it did not. */
  #keepLate(): void {
    for (const [key, notes] of this.#unkept) {
      const [channelId = "", recordingId = ""] = key.split("/");
      this.#keep({ channelId, recordingId }, notes);
      if (this.#unkept.has(key)) return;
    }
  }

  /** How far the upload is. One of another content is given up: an object must not be made of two. */
  #notesOf(file: RecordingFile, stamp: string): UploadNotes {
    const notes = this.#notes(file);
    if (notes !== undefined && (notes.stamp ?? stamp) === stamp) return { ...notes, stamp };
    if (notes?.uploadId !== undefined) this.#giveUp(notes.name, notes.uploadId);
    return { ...newNotes(this.#deps.prefix, file), stamp };
  }
}

function newNotes(prefix: string, { channelId, recordingId, container, bytes }: RecordingFile): UploadNotes {
  const partBytes = Math.max(PART_BYTES_MIN, Math.ceil(bytes / PARTS_MAX));
  return { name: `${prefix}${channelId}/${recordingId}.${container}`, partBytes, tags: [], isDone: false };
}

const TYPES = { mp4: "video/mp4", flv: "video/x-flv" } as const;

function keyOf({ channelId, recordingId }: RecordingKey): string {
  return `${channelId}/${recordingId}`;
}
