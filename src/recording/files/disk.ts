import fs from "node:fs";
import { systemCode } from "../../base/system-errors.ts";
import type { RecordingProblem } from "../../thread-protocol/recordings/recordings.ts";

/**
 * What the recording thread uses of the file system: calls that wait. They block this thread alone. Asynchronous calls
 * would wait in the process's few pool threads, which name look-ups need too, so a disk that hangs would stop the
 * streams.
 */
export type Disk = Pick<
  typeof fs,
  | "closeSync"
  | "fdatasyncSync"
  | "fstatSync"
  | "fsyncSync"
  | "ftruncateSync"
  | "lstatSync"
  | "mkdirSync"
  | "openSync"
  | "readdirSync"
  | "readSync"
  | "renameSync"
  | "statSync"
  | "unlinkSync"
  | "writeSync"
  | "writevSync"
> & {
  /** Bytes that are free for this process on the disk of a folder. */
  readonly freeBytes: (folder: string) => number;
};

export const SYSTEM_DISK: Disk = {
  ...fs,
  freeBytes(folder) {
    const { bavail, bsize } = fs.statfsSync(folder);
    return bavail * bsize;
  },
};

/** Only the user of the server reads recordings. */
export const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
/** As many buffers as one system call takes on every system. */
const BUFFERS_MAX = 1_024;

/** Makes a folder, with those above it, where it is not there. Throws with the disk's own reason. */
export function makeFolder(disk: Disk, path: string): void {
  try {
    disk.mkdirSync(path, { recursive: true, mode: FOLDER_MODE });
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw error;
    // Node says so of a disk that takes nothing, too: what it last asked for is whether the folder is there.
    disk.mkdirSync(path, { mode: FOLDER_MODE });
  }
}

/** Appends all of these bytes. Throws where the disk takes only a part. */
export function appendAll(disk: Disk, descriptor: number, chunks: readonly Uint8Array[]): void {
  let rest = chunks.filter(({ length }) => length > 0);
  while (rest.length > 0) {
    let written = disk.writevSync(descriptor, rest.slice(0, BUFFERS_MAX));
    if (written === 0) throw new Error("the disk took nothing");
    let whole = 0;
    for (let next = rest[0]; next !== undefined && written >= next.length; next = rest[whole]) {
      written -= next.length;
      whole += 1;
    }
    rest = rest.slice(whole);
    if (written > 0 && rest[0] !== undefined) rest = [rest[0].subarray(written), ...rest.slice(1)];
  }
}

/** Writes a small file so that after a crash there is the old one or the new one, never a part. */
export function replaceFile(disk: Disk, path: string, text: string): void {
  const made = `${path}.new`;
  const descriptor = disk.openSync(made, "w", FILE_MODE);
  try {
    appendAll(disk, descriptor, [Buffer.from(text)]);
    disk.fsyncSync(descriptor);
  } finally {
    disk.closeSync(descriptor);
  }
  disk.renameSync(made, path);
}

/** Makes the names in a folder survive a loss of power. */
export function syncFolder(disk: Disk, path: string): void {
  const descriptor = disk.openSync(path, "r");
  try {
    disk.fsyncSync(descriptor);
  } finally {
    disk.closeSync(descriptor);
  }
}

/** What an error of the disk means for a recording. */
export function problemOf(error: unknown): RecordingProblem {
  const code = systemCode(error);
  return code === "ENOSPC" || code === "EDQUOT" ? "DISK_FULL" : "DISK_FAILED";
}
