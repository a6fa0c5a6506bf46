import type { Kysely } from "kysely";

/** Whether a target gets captions, cue points and other timed data; the default is yes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("target")
    .addColumn("has_timed_data", "integer", (column) => column.notNull().defaultTo(1))
    .execute();
}
