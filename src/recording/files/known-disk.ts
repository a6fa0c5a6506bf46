import type { RecordingFile } from "../../thread-protocol/recordings/recordings.ts";
import type { Disk } from "./disk.ts";
import { mediaPath } from "./recording-names.ts";

type Witness = Pick<RecordingFile, "channelId" | "recordingId" | "container">;

/** So many files tell a disk from another one. */
const WITNESSES_MAX = 20;

/**
 * Knows the disk on which a folder's files are. Where it was taken away, another one is under the same path, and what is not
 * there is not removed. A disk of the network has another number when it is mounted again: its files tell.
 */
export class KnownDisk {
  readonly #disk: Disk;
  readonly #folder: string;
  /** Undefined before the folder was read. */
  #number: number | undefined;
  /** Some files that are there; none: nothing of ours is. */
  #witnesses: readonly Witness[] = [];

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  get isKnown(): boolean {
    return this.#number !== undefined;
  }

  /** The folder was read now, and these finished files are there, beside those of all that are being written. */
  note(finished: readonly RecordingFile[], all: Iterable<RecordingFile> = []): void {
    this.#number = this.#disk.statSync(this.#folder).dev;
    const growing = [...all].filter(({ end }) => end === undefined);
    this.#witnesses = [...finished.slice(-WITNESSES_MAX), ...growing.slice(-WITNESSES_MAX)];
  }

  /** This file was begun now: the next look at the folder may come after the disk has gone. */
  begun(file: Witness): void {
    try {
      if (this.#number !== this.#disk.statSync(this.#folder).dev) return;
      this.#witnesses = [...this.#witnesses, file].slice(-2 * WITNESSES_MAX);
    } catch {
      // The disk goes in this moment.
    }
  }

  /** The file is there no more, and tells nothing. */
  gone({ channelId, recordingId }: Pick<RecordingFile, "channelId" | "recordingId">): void {
    this.#witnesses = this.#witnesses.filter(
      (each) => each.channelId !== channelId || each.recordingId !== recordingId,
    );
  }

  /** Whether the folder is on that disk, or none of its files could be missed. Throws where the folder cannot be looked at. */
  isThere(finished: readonly RecordingFile[]): boolean {
    if (this.#number === undefined || this.#number === this.#disk.statSync(this.#folder).dev) return true;
    if (finished.length === 0 || this.#witnesses.length === 0) return true;
    return this.#witnesses.some((file) => this.#has(file));
  }

  #has(file: Witness): boolean {
    try {
      return this.#disk.lstatSync(mediaPath(this.#folder, file)).isFile();
    } catch {
      return false;
    }
  }
}
