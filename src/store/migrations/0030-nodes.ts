import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";

/** The nodes that share the database, and which of them owns each channel. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("node")
    .addColumn("incarnation", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("node_id", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("lease_until", "bigint", (column) => column.notNull())
    .addColumn("advertise", "text", (column) => column.notNull())
    .addColumn("version", "text", (column) => column.notNull())
    .addColumn("schema_step", "text", (column) => column.notNull())
    .addColumn("key_ids", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("channel_owner")
    .addColumn("channel_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("incarnation", "bigint")
    .addColumn("home", "integer")
    .addColumn("epoch", "bigint", (column) => column.notNull())
    .addColumn("since", "bigint", (column) => column.notNull())
    .addColumn("former_incarnation", "bigint")
    .addColumn("former_epoch", "bigint")
    .execute();
  await db.schema.createIndex("channel_owner_by_node").on("channel_owner").column("incarnation").execute();
  if (writesSideBySide(db)) await sql`create sequence node_number`.execute(db);
}
