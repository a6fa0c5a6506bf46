import type fs from "node:fs";
import { join } from "node:path";
import type { Clock, Timer } from "../base/clock.ts";
import { systemCode } from "../base/system-errors.ts";
import type { DelayProblem } from "../thread-protocol/delays/delay.ts";
import type { DelaySettings, FromDelay, ToDelay } from "../thread-protocol/delays/delay-messages.ts";

/** A segment that could not be stored is tried again after this long, in milliseconds. */
const RETRY_MS = 1_000;
/** A file takes segments up to this size, in bytes. Its room is free again when all of them are gone. */
const FILE_BYTES = 32 * 1024 * 1024;
const NAME = "delay-";
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;

/** What this uses of the file system: calls that wait, in a thread of their own. */
type SegmentDisk = Pick<
  typeof fs,
  "closeSync" | "mkdirSync" | "openSync" | "readdirSync" | "readSync" | "unlinkSync" | "writeSync"
> & {
  /** Bytes that are free for this process on the disk of a folder. */
  readonly freeBytes: (folder: string) => number;
};

export type SegmentFilesDeps = {
  readonly settings: DelaySettings;
  readonly disk: SegmentDisk;
  readonly clock: Clock;
  readonly post: (message: FromDelay, transferred?: readonly ArrayBuffer[]) => void;
};

type OpenFile = { readonly descriptor: number; end: number; segments: number };
type Stored = { readonly file: OpenFile; readonly at: number; readonly length: number };
/** A segment that waits for the disk, or lies there. */
type Segment = { waiting: Uint8Array<ArrayBuffer> | undefined; stored: Stored | undefined };
type Shelf = { readonly segments: Map<number, Segment>; file: OpenFile | undefined };

/**
 * Segments of delayed streams on disk. Their files have no names: each is removed from its folder as soon as it is open,
 * so nothing is left of them when the process ends, however it ends. What cannot be stored is kept and tried again; the
 * media thread sends no more meanwhile.
 */
export class SegmentFiles {
  readonly #deps: SegmentFilesDeps;
  readonly #shelves = new Map<number, Shelf>();
  /** Segments that wait for the disk, in their order. */
  #waiting: { readonly shelf: number; readonly id: number }[] = [];
  #retry: Timer | undefined;
  #bytes = 0;
  #files = 0;
  #isPrepared = false;

  constructor(deps: SegmentFilesDeps) {
    this.#deps = deps;
  }

  /** Bytes of segments on the disk. */
  get bytes(): number {
    return this.#bytes;
  }

  take(message: ToDelay): void {
    const { shelf } = message;
    switch (message.kind) {
      case "put":
        this.#shelf(shelf).segments.set(message.id, { waiting: message.bytes, stored: undefined });
        this.#waiting.push({ shelf, id: message.id });
        if (this.#retry === undefined) this.#store();
        return;
      case "take":
        return this.#giveBack(shelf, message.id);
      case "drop":
        return void this.#remove(shelf, message.id);
      case "close":
        for (const id of [...(this.#shelves.get(shelf)?.segments.keys() ?? [])]) this.#remove(shelf, id);
        this.#closeFile(this.#shelves.get(shelf)?.file);
        this.#shelves.delete(shelf);
    }
  }

  #shelf(number: number): Shelf {
    const known = this.#shelves.get(number);
    if (known !== undefined) return known;
    const shelf: Shelf = { segments: new Map(), file: undefined };
    this.#shelves.set(number, shelf);
    return shelf;
  }

  /** Stores what waits; at the first that cannot be stored it says why, and waits. */
  #store(): void {
    this.#retry = undefined;
    while (this.#waiting.length > 0) {
      const [next] = this.#waiting;
      if (next === undefined) return;
      const shelf = this.#shelves.get(next.shelf);
      const segment = shelf?.segments.get(next.id);
      if (shelf !== undefined && segment?.waiting !== undefined) {
        const problem = this.#write(shelf, segment, segment.waiting);
        if (problem !== undefined) return this.#wait(problem);
        this.#deps.post({ kind: "stored", ...next });
      }
      this.#waiting.shift();
    }
  }

  #wait(problem: DelayProblem): void {
    const shelves = new Set(this.#waiting.map(({ shelf }) => shelf));
    for (const shelf of shelves) this.#deps.post({ kind: "failed", shelf, problem });
    this.#retry = this.#deps.clock.startTimer(RETRY_MS, () => this.#store());
  }

  #write(shelf: Shelf, segment: Segment, bytes: Uint8Array<ArrayBuffer>): DelayProblem | undefined {
    const { disk, settings } = this.#deps;
    try {
      if (this.#bytes + bytes.length > settings.bytesMax) return "disk-full";
      const file = this.#fileFor(shelf);
      if (disk.freeBytes(settings.folder) < settings.keepFreeBytes + bytes.length) return "disk-full";
      for (let written = 0; written < bytes.length; ) {
        const now = disk.writeSync(file.descriptor, bytes, written, bytes.length - written, file.end + written);
        if (now === 0) throw new Error("the disk took nothing");
        written += now;
      }
      segment.stored = { file, at: file.end, length: bytes.length };
      segment.waiting = undefined;
      file.end += bytes.length;
      file.segments += 1;
      this.#bytes += bytes.length;
      return undefined;
    } catch (error) {
      const code = systemCode(error);
      return code === "ENOSPC" || code === "EDQUOT" ? "disk-full" : "disk-failed";
    }
  }

  /** Makes the folder, and removes what a process that was killed at the wrong moment left in it. */
  #prepare(): void {
    if (this.#isPrepared) return;
    const { disk, settings } = this.#deps;
    disk.mkdirSync(settings.folder, { recursive: true, mode: FOLDER_MODE });
    for (const name of disk.readdirSync(settings.folder)) if (name.startsWith(NAME)) this.#unlink(name);
    this.#isPrepared = true;
  }

  /** Another thread may have removed it: then it is gone, as it should be. */
  #unlink(name: string): void {
    try {
      this.#deps.disk.unlinkSync(join(this.#deps.settings.folder, name));
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
    }
  }

  #fileFor(shelf: Shelf): OpenFile {
    const { disk, settings } = this.#deps;
    this.#prepare();
    const present = shelf.file;
    if (present !== undefined && present.end < FILE_BYTES) return present;
    if (present?.segments === 0) this.#closeFile(present);
    this.#files += 1;
    const name = `${NAME}${settings.name}-${this.#files}`;
    const descriptor = disk.openSync(join(settings.folder, name), "w+", FILE_MODE);
    this.#unlink(name);
    shelf.file = { descriptor, end: 0, segments: 0 };
    return shelf.file;
  }

  #giveBack(shelf: number, id: number): void {
    const segment = this.#remove(shelf, id, true);
    const bytes = segment?.waiting ?? (segment?.stored === undefined ? undefined : this.#read(segment.stored));
    this.#leave(shelf, segment?.stored);
    if (bytes === undefined) this.#deps.post({ kind: "taken", shelf, id });
    else this.#deps.post({ kind: "taken", shelf, id, bytes }, [bytes.buffer]);
  }

  #read({ file, at, length }: Stored): Uint8Array<ArrayBuffer> | undefined {
    const bytes = new Uint8Array(length);
    try {
      for (let done = 0; done < length; ) {
        const now = this.#deps.disk.readSync(file.descriptor, bytes, done, length - done, at + done);
        if (now === 0) return undefined;
        done += now;
      }
      return bytes;
    } catch {
      return undefined;
    }
  }

  /** `isRead`: its place on the disk is still read. */
  #remove(shelf: number, id: number, isRead = false): Segment | undefined {
    const segments = this.#shelves.get(shelf)?.segments;
    const segment = segments?.get(id);
    segments?.delete(id);
    if (!isRead) this.#leave(shelf, segment?.stored);
    return segment;
  }

  /** Gives a place on the disk back. A file without segments is closed, which frees its room. */
  #leave(number: number, stored: Stored | undefined): void {
    if (stored === undefined) return;
    this.#bytes -= stored.length;
    const { file } = stored;
    file.segments -= 1;
    if (file.segments > 0) return;
    this.#closeFile(file);
    const shelf = this.#shelves.get(number);
    if (shelf?.file === file) shelf.file = undefined;
  }

  #closeFile(file: OpenFile | undefined): void {
    if (file === undefined) return;
    try {
      this.#deps.disk.closeSync(file.descriptor);
    } catch {
      // The descriptor is gone in any case.
    }
  }
}
