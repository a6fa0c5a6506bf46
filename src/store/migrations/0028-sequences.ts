import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";
import { sequenceName } from "../database/numbers.ts";

/** What was numbered at this step. */
const FIRST = ["channel", "target", "event", "webhook_endpoint", "write-probe"] as const;

/**
 * For several nodes on one database: the sequences that number channels, targets and events on PostgreSQL, where SQLite
 * keeps its counters; and which later steps older programs can work with.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("schema_compat")
    .addColumn("step", "text", (column) => column.primaryKey().notNull())
    .addColumn("compatible_from", "text", (column) => column.notNull())
    .execute();
  if (!writesSideBySide(db)) return;
  for (const name of FIRST) await sql`create sequence ${sql.table(sequenceName(name))}`.execute(db);
}
