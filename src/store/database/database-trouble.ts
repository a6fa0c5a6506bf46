import { statfsSync } from "node:fs";
import { dirname } from "node:path";
import type { StoreTrouble } from "../../control/ports/errors.ts";

/**
 * Primary result codes of https://sqlite.org/rescode.html that are the database's trouble, not a mistake of this
 * program.
 */
const TROUBLE_BY_CODE: ReadonlyMap<number, StoreTrouble> = new Map([
  [5, "locked"], // SQLITE_BUSY
  [6, "locked"], // SQLITE_LOCKED
  [8, "unwritable"], // SQLITE_READONLY
  [10, "unwritable"], // SQLITE_IOERR
  [11, "damaged"], // SQLITE_CORRUPT
  [13, "full"], // SQLITE_FULL
  [14, "unwritable"], // SQLITE_CANTOPEN
  [26, "damaged"], // SQLITE_NOTADB
]);

/**
 * Extended codes of SQLITE_IOERR that occur while reading: the disk fails, or returns something other than what was
 * written.
 */
const READING_FAILED: ReadonlySet<number> = new Set([
  10 + (1 << 8), // SQLITE_IOERR_READ
  10 + (2 << 8), // SQLITE_IOERR_SHORT_READ
  10 + (32 << 8), // SQLITE_IOERR_DATA
  10 + (33 << 8), // SQLITE_IOERR_CORRUPTFS
]);

/** What the file system reports where nothing can be written, and where there is no room. */
const UNWRITABLE: ReadonlySet<string> = new Set(["EROFS", "EACCES", "EPERM", "EIO"]);
const FULL: ReadonlySet<string> = new Set(["ENOSPC", "EDQUOT"]);

/** The room that those files take, in bytes, and their number. */
const ROOM_BYTES_MIN = 128 * 1024;
const ROOM_FILES_MIN = 4;

/** The database's file cannot be used. The text says which file, what is wrong, and what to do. */
export class DatabaseFileError extends Error {
  override readonly name = "DatabaseFileError";
  /** Whether it is because the disk is full. */
  readonly isFull: boolean;
  constructor(message: string, options: ErrorOptions & { readonly isFull?: boolean } = {}) {
    super(message, options);
    this.isFull = options.isFull ?? false;
  }
}

/**
 * The database's trouble, for the caller; undefined for any other error. Looks at the causes of errors that wrap
 * another.
 */
export function databaseTrouble(error: unknown): StoreTrouble | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("errcode" in error && typeof error.errcode === "number") {
    // The low byte of an extended code is the primary one.
    return READING_FAILED.has(error.errcode) ? "damaged" : TROUBLE_BY_CODE.get(error.errcode & 0xff);
  }
  if ("code" in error && typeof error.code === "string") {
    if (FULL.has(error.code)) return "full";
    if (UNWRITABLE.has(error.code)) return "unwritable";
  }
  return error.cause === undefined ? undefined : databaseTrouble(error.cause);
}

/** What to do about a damaged file; for logs, answers and a failed start. */
export function damageAdvice(path: string): string {
  if (path.startsWith("postgres://")) return "stop every server and restore a backup of the PostgreSQL database.";
  return (
    "stop the server and restore a backup (fanfare restore FOLDER), or save what can still be read " +
    `(sqlite3 ${path} .recover | sqlite3 recovered.db); fanfare doctor says what is damaged.`
  );
}

/** Why the file could not be opened, in a sentence. */
export function openFailure(path: string, error: unknown): DatabaseFileError {
  if (error instanceof DatabaseFileError) return error;
  const detail = error instanceof Error ? innermost(error).message : String(error);
  const trouble = databaseTrouble(error);
  const isFull = trouble === "full" || (trouble === "unwritable" && hasNoRoom(path));
  return new DatabaseFileError(failureText(path, detail, isFull ? "full" : trouble), { cause: error, isFull });
}

function failureText(path: string, detail: string, trouble: StoreTrouble | undefined): string {
  switch (trouble) {
    case "damaged":
      return `the database ${path} is damaged, or is not a database (${detail}): ${damageAdvice(path)}`;
    case "full":
      return `the disk of the database ${path} is full (${detail}): free space on it, or delete files where it has no room for more (df -i).`;
    case "unwritable":
      return `the database ${path} cannot be opened for writing (${detail}): its folder and its files must belong to this user, on a writable file system.`;
    case "locked":
      return `the database ${path} is locked by another process (${detail}): stop that process.`;
    default:
      return `the database ${path} cannot be opened: ${detail}`;
  }
}

/** SQLite reports other errors for a disk without room for the small files beside the database. */
function hasNoRoom(path: string): boolean {
  try {
    const { bavail, bsize, files, ffree } = statfsSync(dirname(path));
    // A file system without a limit of files says that it has none at all.
    return bavail * bsize < ROOM_BYTES_MIN || (files > 0 && ffree < ROOM_FILES_MIN);
  } catch {
    return false;
  }
}

function innermost(error: Error): Error {
  return error.cause instanceof Error ? innermost(error.cause) : error;
}
