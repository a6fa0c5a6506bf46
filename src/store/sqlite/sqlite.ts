import { closeSync, openSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { DatabaseConnection, SqliteDatabase, SqliteDialectConfig, SqliteStatement } from "kysely";
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from "kysely";
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
import { openWithoutWriting } from "./read-only-copy.ts";

/**
 * The database holds stream keys and passwords: only its owner may read it. WAL and shared memory file follow its mode.
 */
export const FILE_MODE = 0o600;

/** Where the keys are by default: beside the database. */
export const KEY_FILE_NAME = "encryption.key";

/** In WAL mode readers wait only while the log is being recovered after a crash, in milliseconds. */
const READ_TIMEOUT_MS = 250;

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
    await reader.destroy();
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
  const writer = tablesOver(connection);
  try {
    await migrate(writer, secrets, path);
    await putProof(writer, secrets, secrets.currentKeyId);
    purge(connection);
    return { reader: openReader(path), writer };
  } catch (error) {
    await writer.destroy();
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
  const reader = tablesOver(connection);
  try {
    if (!(await isUpToDate(reader, secrets, path))) throw failure;
    return unwritableOver(path, connection, failure.isFull ? "full" : "unwritable", beforeWriting);
  } catch (error) {
    await reader.destroy();
    throw error;
  }
}

/** The same for a connection that is open already. It is closed with the database. */
export async function databaseOver(
  connection: DatabaseSync,
  path: string,
  keyFilePath: string = join(dirname(path), KEY_FILE_NAME),
  { isNewAllowed = true }: OpenOptions = {},
): Promise<OpenedDatabase> {
  const writer = tablesOver(connection);
  try {
    if (!isNewAllowed) refuseEmpty(connection, path, keyFilePath);
    const check = quickCheck(connection, path);
    markFirstStart(connection);
    const { secrets, isKeyNew } = await unlock(writer, keyFilePath);
    await migrate(writer, secrets, path);
    await putProof(writer, secrets, secrets.currentKeyId);
    purge(connection);
    const connections = { reader: openReader(path), writer };
    const database = new Database({ connections, secrets, explainTrouble: databaseTrouble, path });
    return { database, isKeyNew, check, unwritableBecause: undefined };
  } catch (error) {
    await writer.destroy();
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
  const reader = tablesOver(connection);
  try {
    const check = quickCheck(connection, path);
    const secrets = await unlockForReading(reader, keyFilePath);
    if (!(await isUpToDate(reader, secrets, path))) throw failure;
    const connections = unwritableOver(path, connection, failure.isFull ? "full" : "unwritable", beforeWriting);
    const database = new Database({ connections, secrets, explainTrouble: databaseTrouble, path });
    return { database, isKeyNew: false, check, unwritableBecause: failure.message };
  } catch (error) {
    await reader.destroy();
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

/**
 * All connections of a process share SQLite's files beside the database, so the reader is closed before anything can be
 * written.
 */
function unwritableOver(
  path: string,
  connection: DatabaseSync,
  trouble: Unwritable["trouble"],
  beforeWriting: () => void,
): Unwritable {
  return {
    reader: tablesOver(connection),
    trouble,
    reopen: () => {
      connection.close();
      try {
        beforeWriting();
        const writer = openConnection(path);
        writer.exec("BEGIN IMMEDIATE; ROLLBACK;");
        return { writer: tablesOver(writer), reader: openReader(path) };
      } catch {
        return unwritableOver(path, openReadable(path), trouble, beforeWriting);
      }
    },
  };
}

/**
 * A connection for reading only, even in a folder that cannot be written. Other processes may write meanwhile, but only
 * where SQLite can make its two files beside the database.
 */
export function openReadable(path: string): DatabaseSync {
  let connection: DatabaseSync | undefined;
  try {
    connection = openReadOnly(path);
    connection.exec("SELECT count(*) FROM sqlite_schema");
    return connection;
  } catch {
    if (connection?.isOpen === true) connection.close();
    return openWithoutWriting(path);
  }
}

/** A store for a database file, which it closes. */
export async function openSqliteStore(path: string, keyFilePath?: string): Promise<Store> {
  const { database } = await openSqliteDatabase(path, keyFilePath);
  return new SqlStore(database);
}

/** Opens the file so that an acknowledged commit survives the process and a power failure. */
export function openConnection(path: string): DatabaseSync {
  closeSync(openSync(path, "a", FILE_MODE));
  // No waiting for locks here: node:sqlite would block the calling thread, and reads with it.
  const connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  // FULL: the write-ahead log is synced before a commit returns. Temporary data stay in memory.
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;");
  return connection;
}

/** A connection for reading only: in WAL mode no writer holds it up. */
export function openReadOnly(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: READ_TIMEOUT_MS, readOnly: true });
  connection.exec("PRAGMA temp_store = MEMORY;");
  return connection;
}

/** The tables of such a connection, which is closed with them. */
export function openReader(path: string): Kysely<Schema> {
  return tablesOver(openReadOnly(path));
}

/** The tables of a connection, as they are. */
export function tablesOver(connection: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new NodeSqliteDialect(connection) });
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

/** Kysely's SQLite dialect over node:sqlite, whose statements take their parameters one by one. */
class NodeSqliteDialect extends SqliteDialect {
  readonly #database: DatabaseSync;

  readonly #config: SqliteDialectConfig;

  constructor(database: DatabaseSync) {
    const config = { database: toKysely(database) };
    super(config);
    this.#config = config;
    this.#database = database;
  }

  override createDriver(): SqliteDriver {
    return new NodeSqliteDriver(this.#config, this.#database);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalDdlAdapter();
  }
}

class NodeSqliteDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(config: SqliteDialectConfig, database: DatabaseSync) {
    super(config);
    this.#database = database;
  }

  /**
   * All our transactions write. Taking the lock at the beginning makes waiting for it possible; a later upgrade would
   * just fail.
   */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /**
   * SQLite ends a transaction by itself when the disk is full; a rollback then would hide that error behind its own.
   */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** SQLite can roll back `create table`: an interrupted migration leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true;
  }
}

/** How many compiled statements are kept. The store has fewer kinds, but lists of values come in any length. */
const STATEMENTS_MAX = 200;

function toKysely(database: DatabaseSync): SqliteDatabase {
  const known = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    // Compiling takes longer than running most statements.
    prepare: (sql): SqliteStatement => {
      const present = known.get(sql);
      if (present !== undefined) return present;
      if (known.size >= STATEMENTS_MAX) known.clear();
      const statement = database.prepare(sql);
      const compiled = {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...parameters.map(toSqlite)),
        run: (parameters: readonly unknown[]) => statement.run(...parameters.map(toSqlite)),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...parameters.map(toSqlite)),
      };
      known.set(sql, compiled);
      return compiled;
    },
  };
}

function toSqlite(value: unknown): SQLInputValue {
  if (value === null || typeof value === "string" || typeof value === "number" || typeof value === "bigint") {
    return value;
  }
  throw new TypeError(`SQLite cannot store a value of this type: ${typeof value}`);
}
