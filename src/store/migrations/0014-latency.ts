import type { Kysely } from "kysely";

/** When a channel's packets leave; what was so far is the default. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("latency", "text", (column) => column.notNull().defaultTo("efficient"))
    .execute();
}
