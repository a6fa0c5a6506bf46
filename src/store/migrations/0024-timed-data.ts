import type { Kysely } from "kysely";

/** Whether a target is sent captions, cue points and the like; unless somebody says otherwise it is. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("target")
    .addColumn("has_timed_data", "integer", (column) => column.notNull().defaultTo(1))
    .execute();
}
