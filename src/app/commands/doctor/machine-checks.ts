import { statfsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { systemCode } from "../../../base/system-errors.ts";
import { descriptorLimit, openDescriptors } from "../../../net/kernel/descriptors.ts";
import type { Config } from "../../config/settings/settings.ts";
import { ENOUGH_DESCRIPTORS } from "../../control-thread/descriptor-shares.ts";
import type { Finding } from "./finding.ts";
import type { Holder } from "./port-holders.ts";

const BYTES_PER_MB = 1_000_000;
/** A database needs room for what it writes before it is merged, in bytes. */
const DATABASE_BYTES_MIN = 256 * BYTES_PER_MB;
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

/** Free bytes for this user on the disk of a folder. Throws the system's error where the folder does not exist. */
type FreeBytes = (folder: string) => number;

function freeBytesNow(folder: string): number {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
}

/** The room for the data folder and for recordings. */
export function checkDisks(
  config: Pick<Config, "dataDir" | "recordingFolder" | "recordingKeepFreeMb">,
  freeBytes: FreeBytes = freeBytesNow,
): readonly Finding[] {
  const recordings = config.recordingFolder ?? join(config.dataDir, "recordings");
  const keptBytes = config.recordingKeepFreeMb * BYTES_PER_MB;
  return [
    diskFinding(config.dataDir, freeBytes, (free) =>
      free < DATABASE_BYTES_MIN ? "too few for the database: free space on it" : undefined,
    ),
    diskFinding(recordings, freeBytes, (free) =>
      free < keptBytes
        ? `recordings and delayed platforms need ${megabytes(keptBytes)}: free space, or lower FANFARE_RECORDING_KEEP_FREE_MB`
        : undefined,
    ),
  ];
}

function diskFinding(folder: string, freeBytes: FreeBytes, problemOf: (free: number) => string | undefined): Finding {
  const found = freeNear(resolve(folder), freeBytes);
  if (typeof found === "string") {
    return { check: "disk", state: "unknown", text: `the free space of ${folder} is not known (${found}).` };
  }
  const what = `${folder}: ${megabytes(found)} are free`;
  const problem = problemOf(found);
  return problem === undefined
    ? { check: "disk", state: "ok", text: `${what}.` }
    : { check: "disk", state: "failed", text: `${what}; ${problem}.` };
}

/** The server makes a folder that does not exist: then its parent's disk counts. Returns the system's code on failure. */
function freeNear(folder: string, freeBytes: FreeBytes): number | string {
  try {
    return freeBytes(folder);
  } catch (error) {
    const parent = dirname(folder);
    if (systemCode(error) === "ENOENT" && parent !== folder) return freeNear(parent, freeBytes);
    return systemCode(error) ?? String(error);
  }
}

function megabytes(bytes: number): string {
  return `${Math.floor(bytes / BYTES_PER_MB)} MB`;
}
