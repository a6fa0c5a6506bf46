import { chmodSync, closeSync, copyFileSync, existsSync, fsyncSync, openSync, rmSync } from "node:fs";
import { checkProofs } from "../secrets/key-proof.ts";
import type { MasterKey } from "../secrets/secrets.ts";
import { openReadOnly } from "./read-only.ts";
import { FILE_MODE, openConnection, openReader } from "./sqlite.ts";

/** The file is not a whole database of ours. */
class DatabaseCopyError extends Error {
  override readonly name = "DatabaseCopyError";
}

/**
 * Writes the database as it is at one moment into a new file; on the disk when this returns. The database may be in
 * use: this waits for no other connection, and none waits for this.
 */
export function snapshotDatabase(from: string, to: string): void {
  // SQLite treats an empty file as a new one, and keeps its mode.
  closeSync(openSync(to, "wx", FILE_MODE));
  const source = openReadOnly(from);
  try {
    source.prepare("VACUUM INTO ?").run(to);
  } finally {
    source.close();
  }
  syncFile(to);
}

/** Copies a database that is not in use. On the disk when this returns. */
export function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to);
  chmodSync(to, FILE_MODE);
  syncFile(to);
}

/**
 * The same into one file, with the last changes: a copy of a data folder may have them in the write-ahead log alone. Leaves
 * `from` as it is.
 */
export function copyWithLog(from: string, to: string): void {
  removeCopy(to);
  copyDatabase(from, to);
  if (!existsSync(`${from}-wal`)) return;
  copyDatabase(`${from}-wal`, `${to}-wal`);
  emptyLog(to);
}

/** Removes such a copy, whole or not. */
export function removeCopy(path: string): void {
  for (const each of [path, `${path}-wal`, `${path}-shm`]) rmSync(each, { force: true });
}

/**
 * Moves the content of an unused database's write-ahead log into the database itself, so that one file is all of it.
 * Leaves an unreadable database as it is.
 */
export function emptyLog(path: string): void {
  try {
    const connection = openConnection(path);
    try {
      connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } finally {
      connection.close();
    }
  } catch (error) {
    if (!(error instanceof Error && "errcode" in error)) throw error;
  }
}

/** Throws DatabaseCopyError unless every page is intact, and KeyFileError unless these keys open its secrets. */
export async function checkDatabase(path: string, keys: readonly MasterKey[], keyFilePath: string): Promise<void> {
  try {
    const connection = openReadOnly(path);
    const found = connection.prepare("PRAGMA integrity_check").get();
    connection.close();
    if (found?.["integrity_check"] !== "ok") throw new Error(String(found?.["integrity_check"]));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    throw new DatabaseCopyError(`${path} is no intact database: ${detail}`, { cause: error });
  }
  const db = openReader(path);
  try {
    await checkProofs(db, keys, keyFilePath);
  } finally {
    await db.destroy();
  }
}

function syncFile(path: string): void {
  const file = openSync(path, "r+");
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
