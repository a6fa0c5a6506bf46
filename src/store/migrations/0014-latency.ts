import type { Kysely } from "kysely";

/** When a channel's packets are sent; the default is what every channel did before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("latency", "text", (column) => column.notNull().defaultTo("efficient"))
    .execute();
}
