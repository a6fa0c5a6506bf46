import type { RecordingFile } from "../../thread-protocol/recordings/recordings.ts";
import type { Disk } from "./disk.ts";
import { mediaPath } from "./recording-names.ts";

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
  /** Some files that were there when the folder was looked at last. */
  #witnesses: readonly RecordingFile[] = [];

  constructor(disk: Disk, folder: string) {
    this.#disk = disk;
    this.#folder = folder;
  }

  get isKnown(): boolean {
    return this.#number !== undefined;
  }

  /** The folder was read now, and these finished files are there. */
  note(finished: readonly RecordingFile[]): void {
    this.#number = this.#disk.statSync(this.#folder).dev;
    this.#witnesses = finished.slice(-WITNESSES_MAX);
  }

  /** Whether the folder is on that disk, or none of its files could be missed. Throws where the folder cannot be looked at. */
  isThere(finished: readonly RecordingFile[]): boolean {
    if (this.#number === undefined || this.#number === this.#disk.statSync(this.#folder).dev) return true;
    return finished.length === 0 || this.#witnesses.some((file) => this.#has(file));
  }

  #has(file: RecordingFile): boolean {
    try {
      return this.#disk.lstatSync(mediaPath(this.#folder, file)).isFile();
    } catch {
      return false;
    }
  }
}
