import type { Kysely } from "kysely";

/** Which process plays a channel's source. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel_source")
    .addColumn("node", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
}
