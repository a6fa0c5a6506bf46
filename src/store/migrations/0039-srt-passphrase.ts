import type { Kysely } from "kysely";

/** The passphrase of a channel's encoders over SRT, sealed; empty: none. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .alterTable("channel")
    .addColumn("srt_passphrase", "text", (column) => column.notNull().defaultTo(""))
    .execute();
}
