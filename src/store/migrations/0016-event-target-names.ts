import type { Kysely } from "kysely";

/** What an event's target was called when it happened. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("event").addColumn("target_name", "text").execute();
  await db.schema.alterTable("event").addColumn("target_label", "text").execute();
}
