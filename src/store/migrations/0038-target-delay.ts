import type { Kysely } from "kysely";

/** How much later than the stream a target gets it, in seconds. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("target")
    .addColumn("delay_seconds", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
}
