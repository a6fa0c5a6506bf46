import type { Kysely } from "kysely";

/** What plays into a channel in place of an encoder. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("channel_source")
    .addColumn("channel_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("source", "text", (column) => column.notNull())
    .addColumn("is_wanted", "integer", (column) => column.notNull())
    .addColumn("position", "integer", (column) => column.notNull())
    .execute();
}
