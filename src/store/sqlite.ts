import { closeSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import type { SQLInputValue } from "node:sqlite";
import { DatabaseSync } from "node:sqlite";
import type { DatabaseConnection, SqliteDatabase, SqliteDialectConfig, SqliteStatement } from "kysely";
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from "kysely";
import type { StoreTrouble } from "../control/errors.ts";
import type { Store } from "../control/store.ts";
import { Database } from "./database.ts";
import { putProof, unlock } from "./key-proof.ts";
import { migrate } from "./migrate.ts";
import type { Schema } from "./schema.ts";
import { SqlStore } from "./sql-store.ts";

/** The database holds stream keys and passwords: for its owner alone. WAL and shared memory file follow its mode. */
export const FILE_MODE = 0o600;

/** Where the keys are kept when nobody says otherwise: beside the database. */
export const KEY_FILE_NAME = "encryption.key";

/** Readers wait in WAL mode only while the log is being recovered after a crash, in milliseconds. */
const READ_TIMEOUT_MS = 250;

/** Primary result codes of https://sqlite.org/rescode.html that mean "not now". */
const TROUBLE_BY_CODE: ReadonlyMap<number, StoreTrouble> = new Map([
  [5, "locked"], // SQLITE_BUSY
  [6, "locked"], // SQLITE_LOCKED
  [8, "unwritable"], // SQLITE_READONLY
  [10, "unwritable"], // SQLITE_IOERR
  [13, "full"], // SQLITE_FULL
]);

/**
 * Kept in the file (`user_version`) once no plaintext of a time before sealing is left in it; one more with each migration
 * that seals more.
 */
const PURGED = 2;

export type OpenedDatabase = {
  readonly database: Database;
  /** True where this start made the key file: the operator has to keep a copy. */
  readonly isKeyNew: boolean;
};

/**
 * Opens (or creates) the database file with the keys of the key file, and brings its tables up to date. Throws KeyFileError
 * where the secrets would not open. Without a name for it the key file lies beside the database.
 */
export function openSqliteDatabase(path: string, keyFilePath?: string): Promise<OpenedDatabase> {
  return databaseOver(openConnection(path), path, keyFilePath);
}

/** The same over a connection that is open already, which is closed with the database. */
export async function databaseOver(
  connection: DatabaseSync,
  path: string,
  keyFilePath: string = join(dirname(path), KEY_FILE_NAME),
): Promise<OpenedDatabase> {
  const writer = tablesOver(connection);
  try {
    const { secrets, isKeyNew } = await unlock(writer, keyFilePath);
    await migrate(writer, secrets);
    await putProof(writer, secrets, secrets.currentKeyId);
    purge(connection);
    return {
      database: new Database({ reader: openReader(path), writer, secrets, explainTrouble: sqliteTrouble }),
      isKeyNew,
    };
  } catch (error) {
    await writer.destroy();
    throw error;
  }
}

/** The store over a database file, which it closes. */
export async function openSqliteStore(path: string, keyFilePath?: string): Promise<Store> {
  const { database } = await openSqliteDatabase(path, keyFilePath);
  return new SqlStore(database);
}

/** The file, opened so that a commit outlives the process and the power supply once it is answered. */
export function openConnection(path: string): DatabaseSync {
  closeSync(openSync(path, "a", FILE_MODE));
  // No waiting for locks in here: node:sqlite would wait in the calling thread, and reads with it.
  const connection = new DatabaseSync(path, { timeout: 0, enableForeignKeyConstraints: true });
  // FULL: the write-ahead log is synced before a commit returns. Sorting never needs a disk.
  connection.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY;");
  return connection;
}

/** A connection for reads alone: in WAL mode no writer holds them up. */
export function openReadOnly(path: string): DatabaseSync {
  const connection = new DatabaseSync(path, { timeout: READ_TIMEOUT_MS, readOnly: true });
  connection.exec("PRAGMA temp_store = MEMORY;");
  return connection;
}

/** The tables over such a connection, which is closed with them. */
export function openReader(path: string): Kysely<Schema> {
  return tablesOver(openReadOnly(path));
}

/** The tables over a connection, as they are. */
export function tablesOver(connection: DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new NodeSqliteDialect(connection) });
}

/**
 * Once after each migration that seals something: writes the file anew, so that what stood in it before its secrets were sealed is in no
 * unused corner of it, and empties the write-ahead log. A crash in between leaves it to the next start.
 */
function purge(connection: DatabaseSync): void {
  if (connection.prepare("PRAGMA user_version").get()?.["user_version"] === PURGED) return;
  connection.exec("VACUUM");
  const emptied = connection.prepare("PRAGMA wal_checkpoint(TRUNCATE)").get();
  if (emptied?.["busy"] === 0) connection.exec(`PRAGMA user_version = ${PURGED}`);
}

function sqliteTrouble(error: unknown): StoreTrouble | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number") return undefined;
  // The low byte of an extended code is the primary one.
  return TROUBLE_BY_CODE.get(error.errcode & 0xff);
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

  /** All our transactions write: taking the lock at once makes waiting for it possible, a later upgrade would just fail. */
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw("begin immediate"));
  }

  /** SQLite ends a transaction by itself when the disk is full; a rollback then would hide that error behind its own. */
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** SQLite can roll back `create table`: a migration that was cut short leaves nothing behind. */
class TransactionalDdlAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): true {
    return true;
  }
}

/** Statements kept compiled; the store has fewer kinds, but lists of values come in any length. */
const STATEMENTS_MAX = 200;

function toKysely(database: DatabaseSync): SqliteDatabase {
  const known = new Map<string, SqliteStatement>();
  return {
    close: () => database.close(),
    // Compiling takes longer than most of what is run.
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
  throw new TypeError(`not a value SQLite keeps: ${typeof value}`);
}
