import type { DatabaseSync, SQLInputValue } from "node:sqlite";
import type { DatabaseConnection, SqliteDatabase, SqliteDialectConfig, SqliteStatement } from "kysely";
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from "kysely";
import type { Schema } from "../schema/schema.ts";

/** The tables of a connection, as they are. It is closed with them. */
export function tablesOver(connection: DatabaseSync): Kysely<Schema> {
  return new ClosingTables(connection);
}

/** Kysely closes only a connection that was used. */
class ClosingTables extends Kysely<Schema> {
  readonly #connection: DatabaseSync;

  constructor(connection: DatabaseSync) {
    super({ dialect: new NodeSqliteDialect(connection) });
    this.#connection = connection;
  }

  override async destroy(): Promise<void> {
    await super.destroy();
    if (this.#connection.isOpen) this.#connection.close();
  }
}

/** The tables of a connection that is opened, for reading, when something is read, and again each time that fails. */
export function tablesLater(open: () => DatabaseSync): Kysely<Schema> {
  return new Kysely<Schema>({ dialect: new SqliteDialect({ database: async () => toKysely(open()) }) });
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
