import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";
import { sequenceName } from "../database/numbers.ts";

/** A record of each change: who made it, from where, what was before and after. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("audit")
    .addColumn("audit_id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("time", "bigint", (column) => column.notNull())
    .addColumn("action", "text", (column) => column.notNull())
    .addColumn("trace_id", "text", (column) => column.notNull().unique())
    .addColumn("actor", "text", (column) => column.notNull())
    .addColumn("actor_id", "text")
    .addColumn("actor_name", "text")
    .addColumn("client", "text", (column) => column.notNull())
    .addColumn("remote_address", "text")
    .addColumn("user_agent", "text")
    .addColumn("channel_id", "text")
    .addColumn("channel_name", "text")
    .addColumn("target_id", "bigint")
    .addColumn("subject", "text")
    .addColumn("changes", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("audit_by_time").on("audit").column("time").execute();
  await db.schema.createIndex("audit_by_channel").on("audit").columns(["channel_id", "audit_id"]).execute();
  if (writesSideBySide(db)) await sql`create sequence ${sql.table(sequenceName("audit"))}`.execute(db);
}
