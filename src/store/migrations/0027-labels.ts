import type { Kysely } from "kysely";

/** Words by which people group channels. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("labels", "text", (column) => column.notNull().defaultTo(""))
    .execute();
}
