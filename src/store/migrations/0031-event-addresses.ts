import type { Kysely } from "kysely";

/** Where a refused encoder connected from. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("event").addColumn("remote_address", "text").execute();
}
