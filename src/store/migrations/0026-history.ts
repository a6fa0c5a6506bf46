import type { Kysely } from "kysely";

/** What channels received and sent, in blocks of values; and who made a change that is an event. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("history")
    .addColumn("channel_id", "text", (column) => column.notNull())
    .addColumn("step", "text", (column) => column.notNull())
    .addColumn("start_time", "bigint", (column) => column.notNull())
    .addColumn("end_time", "bigint", (column) => column.notNull())
    .addColumn("series", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("history_key", ["channel_id", "step", "start_time"])
    .execute();
  await db.schema.alterTable("event").addColumn("changed_by", "text").execute();
  await db.schema.createIndex("history_by_end").on("history").columns(["step", "end_time"]).execute();
}
