import type { Kysely } from "kysely";

/** What a channel's encoders log in with, sealed, and what its user is found by. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["ingest_login_id", "ingest_login_password"]) {
    await db.schema
      .alterTable("channel")
      .addColumn(column, "text", (built) => built.notNull().defaultTo(""))
      .execute();
  }
  // Null where there is no login: a unique index lets any number of those be.
  await db.schema.alterTable("channel").addColumn("ingest_login_id_index", "text").execute();
  await db.schema
    .createIndex("channel_by_ingest_login")
    .on("channel")
    .column("ingest_login_id_index")
    .unique()
    .execute();
}
