import type { Kysely } from "kysely";

/** Files that start on a channel at a time, and the run that plays now. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("channel_schedule")
    .addColumn("schedule_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("channel_id", "text", (column) => column.notNull())
    .addColumn("settings", "text", (column) => column.notNull())
    .addColumn("is_paused", "integer", (column) => column.notNull())
    .addColumn("created_time", "bigint", (column) => column.notNull())
    .addColumn("done_time", "bigint", (column) => column.notNull())
    .addColumn("last_time", "bigint")
    .addColumn("last_result", "text", (column) => column.notNull())
    .addColumn("last_reason", "text", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("schedule_by_channel").on("channel_schedule").column("channel_id").execute();
  await db.schema
    .alterTable("channel_source")
    .addColumn("scheduled", "text", (column) => column.notNull().defaultTo(""))
    .execute();
}
