import type { Kysely } from "kysely";

/** Encoders that were rejected, by address and reason. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("refused_encoder")
    .addColumn("entry", "text", (column) => column.primaryKey().notNull())
    .addColumn("remote_address", "text", (column) => column.notNull())
    .addColumn("reason", "text", (column) => column.notNull())
    .addColumn("channel_id", "text")
    .addColumn("first_time", "bigint", (column) => column.notNull())
    .addColumn("last_time", "bigint", (column) => column.notNull())
    .addColumn("attempts", "bigint", (column) => column.notNull())
    .execute();
}
