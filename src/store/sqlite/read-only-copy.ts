import { copyFileSync, existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { pathToFileURL } from "node:url";

/**
 * Opens a database for reading in a folder that cannot be written, where SQLite cannot make the two small files that it
 * needs beside the database. Opens the file itself where its write-ahead log is empty; else a copy that includes the
 * log. No other process sees the copy, and it ends with the connection. Throws where neither is possible.
 */
export function openWithoutWriting(path: string): DatabaseSync {
  return isLogEmpty(path) ? openUnchanging(path) : openCopy(path);
}

function isLogEmpty(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) === 0;
}

/** Valid only while no process writes to the file: here none can. */
function openUnchanging(path: string): DatabaseSync {
  const url = pathToFileURL(path);
  url.searchParams.set("immutable", "1");
  return tried(new DatabaseSync(url, { readOnly: true }));
}

function openCopy(path: string): DatabaseSync {
  const folder = mkdtempSync(join(tmpdir(), "fanfare-read-"));
  try {
    const copy = join(folder, "fanfare.db");
    for (const suffix of ["", "-wal"]) if (existsSync(path + suffix)) copyFileSync(path + suffix, copy + suffix);
    const writer = new DatabaseSync(copy);
    writer.exec("PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE;");
    writer.close();
    return tried(new DatabaseSync(copy, { readOnly: true }));
  } finally {
    // An open file stays readable after this.
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Opening alone reads nothing, so this reads something. */
function tried(connection: DatabaseSync): DatabaseSync {
  try {
    connection.exec("PRAGMA temp_store = MEMORY; SELECT count(*) FROM sqlite_schema;");
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}
