import type { Kysely } from "kysely";

/** How long a channel is held, its backup key, and what a slow target loses. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // The defaults are what every channel and target did before these settings existed.
  await db.schema
    .alterTable("channel")
    .addColumn("hold_seconds", "integer", (column) => column.notNull().defaultTo(120))
    .execute();
  await db.schema
    .alterTable("channel")
    .addColumn("backup_stream_key", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  // Null where there is no backup key: a unique index allows any number of nulls.
  await db.schema.alterTable("channel").addColumn("backup_stream_key_index", "text").execute();
  await db.schema
    .createIndex("channel_by_backup_stream_key")
    .on("channel")
    .column("backup_stream_key_index")
    .unique()
    .execute();
  await db.schema
    .alterTable("target")
    .addColumn("buffer_policy", "text", (column) => column.notNull().defaultTo("drop"))
    .execute();
}
