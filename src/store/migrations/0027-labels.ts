import type { Kysely } from "kysely";

/** Words that a person groups channels by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("labels", "text", (column) => column.notNull().defaultTo(""))
    .execute();
}
