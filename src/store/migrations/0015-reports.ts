import type { Kysely } from "kysely";

/** A report of each broadcast. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("report")
    .addColumn("channel_id", "text", (column) => column.notNull())
    .addColumn("start_time", "bigint", (column) => column.notNull())
    .addColumn("end_time", "bigint", (column) => column.notNull())
    .addColumn("end_reason", "text")
    .addColumn("parts", "text", (column) => column.notNull())
    .addPrimaryKeyConstraint("report_key", ["channel_id", "start_time"])
    .execute();
  await db.schema.createIndex("report_by_end").on("report").columns(["end_reason", "end_time"]).execute();
}
