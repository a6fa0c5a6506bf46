import { accessSync, closeSync, constants, existsSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Kysely } from "kysely";
import type { Store } from "../../control/ports/store.ts";
import { SqlStore } from "../channels/sql-store.ts";
import { type Connections, Database, heldElsewhere, type Unwritable } from "../database/database.ts";
import { DatabaseFileError, databaseTrouble, openFailure } from "../database/database-trouble.ts";
import { isUpToDate, migrate } from "../migrations/migrate.ts";
import type { Schema } from "../schema/schema.ts";
import { KeyFileError } from "../secrets/key-file.ts";
import { putProof, unlock, unlockForReading } from "../secrets/key-proof.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { markFirstStart, refuseEmpty, refuseKeyAlone } from "./first-start.ts";
import { type CheckResult, quickCheck } from "./quick-check.ts";
import { openReadable, openReadOnly } from "./read-only.ts";
import { tablesLater, tablesOver } from "./tables.ts";

/**
 * The database holds stream keys and passwords: only its owner may read it. WAL and shared memory file follow its mode.
 */
export const FILE_MODE = 0o600;

/** Where the keys are by default: beside the database. */
export const KEY_FILE_NAME = "encryption.key";

/**
 * Kept in the file (`user_version`) once no plaintext from before sealing is left in it. One higher with each migration
 * that seals more.
 */
const PURGED = 2;

export type OpenOptions = {
  /** Whether a missing or empty database may be made although its key file exists. */
  readonly isNewAllowed?: boolean;
  /** Called before a database that was opened for reading is opened for writing; throws where that is not allowed. */
  readonly beforeWriting?: () => void;
};

export type OpenedDatabase = {
  readonly database: Database;
  /** True where this start made the key file: the operator has to keep a copy. */
  readonly isKeyNew: boolean;
  /** What the check of the file found. */
  readonly check: CheckResult;
  /** Why it was opened for reading only; undefined where it was not. */
  readonly unwritableBecause: string | undefined;
};

/**
 * Opens or creates the database file with the keys of the key file, and brings its tables up to date. Opens it for
 * reading only where it cannot be written. Throws KeyFileError where the secrets would not open, and DatabaseFileError
 * where the file cannot be used. By default the key file is beside the database.
 */
export async function openSqliteDatabase(
  path: string,
  keyFilePath: string = join(dirname(path), KEY_FILE_NAME),
  options: OpenOptions = {},
): Promise<OpenedDatabase> {
  const { isNewAllowed = true, beforeWriting = () => undefined } = options;
  if (!isNewAllowed) refuseKeyAlone(path, keyFilePath);
  try {
    return await databaseOver(openConnection(path), path, keyFilePath, { isNewAllowed });
  } catch (error) {
    if (error instanceof KeyFileError || error instanceof DatabaseFileError) throw error;
    const failure = openFailure(path, error);
    const trouble = databaseTrouble(error);
    if (trouble !== "full" && trouble !== "unwritable") throw failure;
    return await openForReading(path, keyFilePath, beforeWriting, failure);
  }
}

/**
 * Opens the database of another process for reading, until `takeSqliteDatabase`. Checks that the keys open its secrets,
 * that no newer version wrote it, and that it is intact. Changes nothing. Throws KeyFileError or DatabaseFileError.
 */
export async function openForTaking(
  path: string,
  keyFilePath: string,
): Promise<{ readonly database: Database; readonly check: CheckResult }> {
  const connection = openReadable(path);
  const reader = tablesOver(connection);
  try {
    const secrets = await unlockForReading(reader, keyFilePath);
    await isUpToDate(reader, secrets, path);
    const connections = heldElsewhere(reader);
    const database = new Database({ connections, secrets, explainTrouble: databaseTrouble, path });
    return { database, check: quickCheck(connection, path) };
  } catch (error) {
    connection.close();
    throw error instanceof KeyFileError || error instanceof DatabaseFileError ? error : openFailure(path, error);
  }
}

/**
 * Opens such a database for writing once the other process has given it up, and brings its tables up to date; for reading
 * only where it cannot be written, as `openSqliteDatabase` does. Throws DatabaseFileError where it cannot be used, or a newer
 * version has changed it meanwhile.
 */
export async function takeSqliteDatabase(
  database: Database,
  beforeWriting: OpenOptions["beforeWriting"] = () => undefined,
): Promise<void> {
  const { path, secrets } = database;
  try {
    await database.take(await writableConnections(path, secrets));
  } catch (error) {
    const failure = openFailure(path, error);
    const trouble = databaseTrouble(error);
    if (trouble !== "full" && trouble !== "unwritable") throw failure;
    await database.take(await readableConnections(path, secrets, beforeWriting, failure));
  }
}

async function writableConnections(path: string, secrets: Secrets): Promise<Connections> {
  const connection = openConnection(path);
  try {
    return await upToDate({ connection, tables: tablesOver(connection), secrets, path });
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** Throws `failure` where tables are missing, or nothing can be read. */
async function readableConnections(
  path: string,
  secrets: Secrets,
  beforeWriting: () => void,
  failure: DatabaseFileError,
): Promise<Unwritable> {
  const connection = readableOf(path, failure);
  try {
    return await onlyRead({ connection, tables: tablesOver(connection), secrets, path }, beforeWriting, failure);
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** An open database, and the tables over its connection. */
type Opened = {
  readonly connection: DatabaseSync;
  readonly tables: Kysely<Schema>;
  readonly secrets: Secrets;
  readonly path: string;
};

/** Brings the tables up to date. */
async function upToDate({ connection, tables, secrets, path }: Opened): Promise<Connections> {
  await migrate(tables, secrets, path);
  await putProof(tables, secrets, secrets.currentKeyId);
  purge(connection);
  return { reader: openReader(path), writer: tables };
}

/** Throws `failure` where tables are missing. */
async function onlyRead(
  { connection, tables, secrets, path }: Opened,
  beforeWriting: () => void,
  failure: DatabaseFileError,
): Promise<Unwritable> {
  if (!(await isUpToDate(tables, secrets, path))) throw failure;
  const readable = { tables, close: () => connection.close() };
  return unwritableOver(path, readable, failure.isFull ? "full" : "unwritable", beforeWriting);
}

/** The same for a connection that is open already. It is closed with the database. */
export async function databaseOver(
  connection: DatabaseSync,
  path: string,
  keyFilePath: string = join(dirname(path), KEY_FILE_NAME),
  { isNewAllowed = true }: OpenOptions = {},
): Promise<OpenedDatabase> {
  const tables = tablesOver(connection);
  try {
    if (!isNewAllowed) refuseEmpty(connection, path, keyFilePath);
    const check = quickCheck(connection, path);
    markFirstStart(connection);
    const { secrets, isKeyNew } = await unlock(tables, keyFilePath);
    const connections = await upToDate({ connection, tables, secrets, path });
    const database = new Database({ connections, secrets, explainTrouble: databaseTrouble, path });
    return { database, isKeyNew, check, unwritableBecause: undefined };
  } catch (error) {
    connection.close();
    throw error;
  }
}

/**
 * Streams with known keys need no more than what was written before. Throws `failure` where that is missing or cannot
 * be read.
 */
async function openForReading(
  path: string,
  keyFilePath: string,
  beforeWriting: () => void,
  failure: DatabaseFileError,
): Promise<OpenedDatabase> {
  const connection = readableOf(path, failure);
  const tables = tablesOver(connection);
  try {
    const check = quickCheck(connection, path);
    const secrets = await unlockForReading(tables, keyFilePath);
    const connections = await onlyRead({ connection, tables, secrets, path }, beforeWriting, failure);
    const database = new Database({ connections, secrets, explainTrouble: databaseTrouble, path });
    return { database, isKeyNew: false, check, unwritableBecause: failure.message };
  } catch (error) {
    connection.close();
    throw error;
  }
}

function readableOf(path: string, failure: DatabaseFileError): DatabaseSync {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) === 0) throw failure;
  try {
    return openReadable(path);
  } catch {
    throw failure;
  }
}

/** What a database is read from while it cannot be written. */
type Readable = { readonly tables: Kysely<Schema>; readonly close: () => void };

/**
 * All connections of a process share SQLite's files beside the database, so the reader is closed before anything can be
 * written.
 */
function unwritableOver(
  path: string,
  readable: Readable,
  trouble: Unwritable["trouble"],
  beforeWriting: () => void,
): Unwritable {
  return {
    reader: readable.tables,
    trouble,
    reopen: () => {
      readable.close();
      try {
        beforeWriting();
        const writer = openConnection(path);
        return closedUnless(writer, () => {
          writer.exec("BEGIN IMMEDIATE; ROLLBACK;");
          return { writer: tablesOver(writer), reader: openReader(path) };
        });
      } catch {
        return unwritableOver(path, readableLater(path), trouble, beforeWriting);
      }
    },
  };
}

/** Opens the file when something is read, and again each time until that is possible: a read throws why it is not. */
function readableLater(path: string): Readable {
  let connection: DatabaseSync | undefined;
  const tables = tablesLater(() => {
    connection = openReadable(path);
    return connection;
  });
  return { tables, close: () => connection?.close() };
}

/** Closes the connection where `use` throws. */
function closedUnless<Value>(connection: DatabaseSync, use: () => Value): Value {
  try {
    return use();
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A store for a database file, which it closes. */
export async function openSqliteStore(path: string, keyFilePath?: string): Promise<Store> {
  const { database } = await openSqliteDatabase(path, keyFilePath);
  return new SqlStore(database);
}

/** Opens the file so that an acknowledged commit survives the process and a power failure. */
export function openConnection(path: string): DatabaseSync {
  makeWritable(path);
  // No waiting for locks here: node:sqlite would block the calling thread, and reads with it.
  const connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  return closedUnless(connection, () => {
    // FULL: the write-ahead log is synced before a commit returns. Temporary data stay in memory.
    connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;");
    return connection;
  });
}

/**
 * Makes the file where it is missing; throws the system's error where it cannot be written. A file that is there is not opened:
 * closing any descriptor of it would drop the locks of all connections of this process, and another process that closes the
 * database would remove the write-ahead log that this one writes to.
 */
function makeWritable(path: string): void {
  if (existsSync(path)) accessSync(path, constants.W_OK);
  else closeSync(openSync(path, "a", FILE_MODE));
}

/** The tables of a connection for reading, which is closed with them. */
export function openReader(path: string): Kysely<Schema> {
  return tablesOver(openReadOnly(path));
}

/**
 * Runs once after each migration that seals something: rewrites the file, so that no unused part of it holds what was
 * there before sealing, and empties the write-ahead log. After a crash in between, the next start does it.
 */
function purge(connection: DatabaseSync): void {
  if (connection.prepare("PRAGMA user_version").get()?.["user_version"] === PURGED) return;
  connection.exec("VACUUM");
  const emptied = connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  if (emptied?.["busy"] === 0) connection.exec(`PRAGMA user_version = ${PURGED}`);
}
