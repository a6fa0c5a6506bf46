import type { Kysely } from "kysely";

/** Whether a channel's broadcasts are recorded; no channel's were before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("is_recorded", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
}
