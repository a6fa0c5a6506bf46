import { accessSync, constants, statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { systemCode } from "../../../base/system-errors.ts";
import { descriptorLimit, openDescriptors } from "../../../net/kernel/descriptors.ts";
import type { Config } from "../../config/settings/settings.ts";
import { ENOUGH_DESCRIPTORS } from "../../control-thread/descriptor-shares.ts";
import { DATA_FOLDERS } from "../../data-folder/data-folders.ts";
import type { Finding } from "./finding.ts";
import type { Holder } from "./port-holders.ts";

const BYTES_PER_MB = 1_000_000;
/** A database needs room for what it writes before it is merged, in bytes. */
const DATABASE_BYTES_MIN = 256 * BYTES_PER_MB;
/** A disk can have room for bytes and none for files: the database, each recording and each upload need some. */
const FILES_MIN = 100;
/** More than this share of the limit in use is close to its end. */
const USED_SHARE_MAX = 0.8;

/** Of the server that runs, else of one that is started like this command. */
export function checkDescriptors(
  server: Holder | undefined,
  { limitOf, countOf }: { readonly limitOf: typeof descriptorLimit; readonly countOf: typeof openDescriptors } = {
    limitOf: descriptorLimit,
    countOf: openDescriptors,
  },
): Finding {
  const limit = limitOf(server?.pid);
  if (limit === undefined) {
    return {
      check: "descriptors",
      state: "unknown",
      text: "the system does not say how many files a process may open.",
    };
  }
  const used = server === undefined ? undefined : countOf(server.pid);
  const who = server === undefined ? "a server started from here" : `the server (process ${server.pid})`;
  const what = `${who} may open ${limit} files${used === undefined ? "" : ` and has ${used} open`}`;
  const advice = "raise the limit (LimitNOFILE=65536 in the systemd unit, ulimit -n 65536 in a shell).";
  if (used !== undefined && used > limit * USED_SHARE_MAX) {
    return { check: "descriptors", state: "failed", text: `${what}: hardly any are left; ${advice}` };
  }
  if (limit < ENOUGH_DESCRIPTORS) return { check: "descriptors", state: "warning", text: `${what}: few; ${advice}` };
  return { check: "descriptors", state: "ok", text: `${what}.` };
}

/** A folder's disk, as it is for this user. */
type Disk = {
  readonly freeBytes: number;
  /** Files that can still be made; absent: the file system has no limit, or does not say. */
  readonly freeFiles?: number;
  /** The system's code where nothing can be written there. */
  readonly unwritable?: string;
};

/** Throws the system's error where the folder does not exist. */
type LookAtDisk = (folder: string) => Disk;

function diskNow(folder: string): Disk {
  const { bavail, bsize, files, ffree } = statfsSync(folder);
  const unwritable = unwritableBecause(folder);
  return {
    freeBytes: bavail * bsize,
    ...(files === 0 ? {} : { freeFiles: ffree }),
    ...(unwritable === undefined ? {} : { unwritable }),
  };
}

function unwritableBecause(folder: string): string | undefined {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return undefined;
  } catch (error) {
    return systemCode(error) ?? String(error);
  }
}

/**
 * The room for the data folder, for recordings and for delayed streams, which stay in the data folder where recordings are
 * elsewhere; and whether they can be written.
 */
export function checkDisks(
  config: Pick<Config, "dataDir" | "recordingFolder" | "recordingKeepFreeMb">,
  look: LookAtDisk = diskNow,
): readonly Finding[] {
  const { dataDir, recordingFolder, recordingKeepFreeMb } = config;
  const keptBytes = recordingKeepFreeMb * BYTES_PER_MB;
  const kept = (folder: string, what: string): Finding =>
    diskFinding(folder, look, (free) =>
      free < keptBytes
        ? `${what} need ${megabytes(keptBytes)}: free space, or lower FANFARE_RECORDING_KEEP_FREE_MB`
        : undefined,
    );
  return [
    diskFinding(dataDir, look, (free) =>
      free < DATABASE_BYTES_MIN ? "too few for the database: free space on it" : undefined,
    ),
    ...(recordingFolder === undefined
      ? [kept(join(dataDir, DATA_FOLDERS.recordings), "recordings and delayed platforms")]
      : [kept(recordingFolder, "recordings"), kept(join(dataDir, DATA_FOLDERS.delays), "delayed platforms")]),
  ];
}

function diskFinding(folder: string, look: LookAtDisk, bytesProblemOf: (free: number) => string | undefined): Finding {
  const found = diskNear(resolve(folder), look);
  if (typeof found === "string") {
    return { check: "disk", state: "unknown", text: `the free space of ${folder} is not known (${found}).` };
  }
  const { freeBytes, freeFiles, unwritable } = found;
  const what = `${folder}: ${megabytes(freeBytes)} are free`;
  if (unwritable !== undefined) return { check: "disk", state: "failed", text: unwritableText(folder, unwritable) };
  const problem = bytesProblemOf(freeBytes) ?? filesProblemOf(freeFiles);
  return problem === undefined
    ? { check: "disk", state: "ok", text: `${what}.` }
    : { check: "disk", state: "failed", text: `${what}; ${problem}.` };
}

function unwritableText(folder: string, code: string): string {
  return code === "EROFS"
    ? `${folder}: the disk is mounted for reading only (${code}); mount it for writing.`
    : `${folder}: this user cannot write there (${code}); give the folder to the server's user.`;
}

function filesProblemOf(freeFiles: number | undefined): string | undefined {
  if (freeFiles === undefined || freeFiles >= FILES_MIN) return undefined;
  return `only ${freeFiles} more files can be made on it (df -i): delete files`;
}

/** The server makes a folder that does not exist: then its parent's disk counts. Returns the system's code on failure. */
function diskNear(folder: string, look: LookAtDisk): Disk | string {
  try {
    return look(folder);
  } catch (error) {
    const parent = dirname(folder);
    if (systemCode(error) === "ENOENT" && parent !== folder) return diskNear(parent, look);
    return systemCode(error) ?? String(error);
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / BYTES_PER_MB)} MB`;
}
