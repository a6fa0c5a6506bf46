import type { Kysely } from "kysely";

/** The name and label of an event's target when it happened. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("event").addColumn("target_name", "text").execute();
  await db.schema.alterTable("event").addColumn("target_label", "text").execute();
}
