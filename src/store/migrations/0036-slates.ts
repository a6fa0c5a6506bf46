import type { Kysely } from "kysely";

/** The media file that stands in front of a channel's lost encoder. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel_source")
    .addColumn("slate_file_id", "text", (column) => column.notNull().defaultTo(""))
    .execute();
}
