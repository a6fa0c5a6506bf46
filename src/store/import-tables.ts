import { sql, type Transaction } from "kysely";
import type { Database } from "./database/database.ts";
import { NUMBERED, sequenceName } from "./database/numbers.ts";
import type { Schema } from "./schema/schema.ts";

/**
 * Which tables move, in this order. The others belong to a database itself: its steps and versions, the proofs of its keys,
 * its nodes, and what they refuse together. Counters become sequences; channels are counted and listed as they arrive.
 */
const MOVES: Readonly<Record<keyof Schema, boolean>> = {
  channel: true,
  target: true,
  channel_source: true,
  channel_schedule: true,
  access_key: true,
  event: true,
  refused_encoder: true,
  audit: true,
  report: true,
  history: true,
  webhook_endpoint: true,
  delivery: true,
  delivery_queue: true,
  contact: true,
  contact_notice: true,
  dashboard_password: true,
  dashboard_setup: true,
  dashboard_session: true,
  push_key: true,
  push_subscription: true,
  channel_count: false,
  listed_channel: false,
  counter: false,
  encryption_key: false,
  program_version: false,
  instance: false,
  schema_compat: false,
  node: false,
  channel_owner: false,
  guard_once: false,
  guard_count: false,
};
const TABLES: readonly string[] = Object.entries(MOVES).flatMap(([table, moves]) => (moves ? [table] : []));

const ROWS_AT_ONCE = 500;

/** The target has something already. The text says what. */
export class ImportError extends Error {
  override readonly name = "ImportError";
}

/** How many rows of each table were moved. */
export type ImportedRows = ReadonlyMap<string, number>;

/**
 * Copies everything that a single node's SQLite database holds into a PostgreSQL database that holds nothing yet, in one
 * transaction. Both have the same tables and keys. Nothing else may use either of them. Throws ImportError where the target
 * is not empty, or another number of rows arrived than left; nothing is changed then.
 */
export function importTables(source: Database, target: Database): Promise<ImportedRows> {
  return target.write(async (trx) => {
    for (const table of TABLES) await refuseRows(trx, table);
    const counts = new Map<string, number>();
    for (const table of TABLES) {
      const moved = await moveTable(source, trx, table);
      const arrived = await countRows(trx, table);
      if (arrived !== moved) throw new ImportError(`${moved} rows of ${table} were read, and ${arrived} arrived.`);
      counts.set(table, moved);
    }
    await moveNumbers(source, trx);
    const { name } = await source.read((db) => db.selectFrom("instance").select("name").executeTakeFirstOrThrow());
    // Browsers know the installation by it.
    await trx.updateTable("instance").set({ name }).execute();
    return counts;
  });
}

async function refuseRows(trx: Transaction<Schema>, table: string): Promise<void> {
  const count = await countRows(trx, table);
  if (count > 0) throw new ImportError(`the PostgreSQL database is not empty: ${table} has ${count} rows.`);
}

async function countRows(trx: Transaction<Schema>, table: string): Promise<number> {
  const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(trx);
  return Number(rows[0]?.count);
}

/** Returns the number of rows that were read. */
async function moveTable(source: Database, trx: Transaction<Schema>, table: string): Promise<number> {
  let count = 0;
  let lastRow = -1;
  for (;;) {
    const rows = await readRows(source, table, lastRow);
    const [first] = rows;
    if (first === undefined) return count;
    const columns = Object.keys(first).filter((column) => column !== "source_row");
    const values = rows.map((row) => sql`(${sql.join(columns.map((column) => row[column]))})`);
    const names = sql.join(columns.map((column) => sql.ref(column)));
    await sql`insert into ${sql.table(table)} (${names}) values ${sql.join(values)}`.execute(trx);
    count += rows.length;
    lastRow = Number(rows.at(-1)?.["source_row"]);
  }
}

/** SQLite's own number of each row is in `source_row`. */
function readRows(source: Database, table: string, after: number) {
  return source.read(async (db) => {
    const { rows } = await sql<Readonly<Record<string, unknown>>>`
      select rowid as source_row, * from ${sql.table(table)} where rowid > ${after} order by rowid limit ${ROWS_AT_ONCE}
    `.execute(db);
    return rows;
  });
}

/** Numbers that were given out are not given out again. */
async function moveNumbers(source: Database, trx: Transaction<Schema>): Promise<void> {
  const rows = await source.read((db) => db.selectFrom("counter").selectAll().execute());
  const last = new Map(rows.map(({ name, value }) => [name, Number(value)]));
  for (const name of NUMBERED) {
    const value = last.get(name) ?? 0;
    if (value > 0) await sql`select setval(${sequenceName(name)}, ${value})`.execute(trx);
  }
}
