import { statSync } from "node:fs";
import type { DatabaseSync } from "node:sqlite";
import { DatabaseFileError } from "../database/database-trouble.ts";
import { readKeyFile } from "../secrets/key-file.ts";

/**
 * Kept in the file (`user_version`) from before its key is made until its tables exist: an interrupted first start goes
 * on.
 */
const UNDER_WAY = 1_000_000;

/**
 * A key file belongs to a database. Where that database is missing or empty, going on would look like a first start and
 * hide that everything is lost. Throws DatabaseFileError, and makes nothing, unless the caller says that the database
 * may be new.
 */
export function refuseKeyAlone(path: string, keyFilePath: string): void {
  if (sizeOf(path) > 0 || readKeyFile(keyFilePath) === undefined) return;
  throw keyAlone(path, keyFilePath, sizeOf(path) === 0 ? "empty" : "missing");
}

/** The same for a database file without any table. */
export function refuseEmpty(connection: DatabaseSync, path: string, keyFilePath: string): void {
  if (hasTables(connection) || userVersion(connection) === UNDER_WAY || readKeyFile(keyFilePath) === undefined) return;
  throw keyAlone(path, keyFilePath, "empty");
}

/** Call before the key file is made. */
export function markFirstStart(connection: DatabaseSync): void {
  if (!hasTables(connection)) connection.exec(`PRAGMA user_version = ${UNDER_WAY}`);
}

function keyAlone(path: string, keyFilePath: string, what: "missing" | "empty"): DatabaseFileError {
  return new DatabaseFileError(
    `the database ${path} is ${what}, but its encryption key file ${keyFilePath} is there: this is no first start. ` +
      "Name the right data folder (FANFARE_DATA_DIR), or restore a backup (fanfare restore FOLDER). " +
      "To begin anew with this key, start once with --new-database yes.",
  );
}

function hasTables(connection: DatabaseSync): boolean {
  return connection.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() !== undefined;
}

function userVersion(connection: DatabaseSync): unknown {
  return connection.prepare("PRAGMA user_version").get()?.["user_version"];
}

/** -1 where there is no file. */
function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? -1;
}
