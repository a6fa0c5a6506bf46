import type { Kysely } from "kysely";

/** Whether a target gets silence where the stream has no audio; the default asks its platform's preset. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("target")
    .addColumn("silent_audio", "text", (column) => column.notNull().defaultTo("auto"))
    .execute();
}
