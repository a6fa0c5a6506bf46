import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/** In WAL mode readers wait only while the log is being recovered after a crash, in milliseconds. */
const READ_TIMEOUT_MS = 250;

/** A connection for reading only: in WAL mode no writer holds it up. Throws where nothing can be read. */
export function openReadOnly(path: string | URL): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: READ_TIMEOUT_MS, readOnly: true });
  try {
    // Opening alone reads nothing.
    connection.exec("PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_schema;");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * The same even in a folder that cannot be written. Other processes may write meanwhile, but only where SQLite can make its
 * two files beside the database.
 */
export function openReadable(path: string): DatabaseSync {
  try {
    return openReadOnly(path);
  } catch {
    return openWithoutWriting(path);
  }
}

/**
 * Opens a database for reading in a folder that cannot be written, where SQLite cannot make the two small files that it
 * needs beside the database. Opens the file itself where its write-ahead log is empty; else a copy that includes the
 * log. No other process sees the copy, and it ends with the connection. Throws where neither is possible.
 */
function openWithoutWriting(path: string): DatabaseSync {
  return isLogEmpty(path) ? openUnchanging(path) : openCopy(path);
}

function isLogEmpty(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Valid only while no process writes to the file: here none can. */
function openUnchanging(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return openReadOnly(url);
}

function openCopy(path: string): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-read-"));
  try {
    const copy = join(folder, "fanfare.db");
    for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    const writer = new DatabaseSync(copy);
    try {
      writer.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    } finally {
      writer.close();
    }
    return openReadOnly(copy);
  } finally {
    // An open file stays readable after this.
    rmSync(folder, { recursive: true, force: true });
  }
}
