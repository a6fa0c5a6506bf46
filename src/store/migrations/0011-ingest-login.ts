import type { Kysely } from "kysely";

/** The login of a channel's encoders, sealed, with an index for the user name. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const column of ["ingest_login_id", "ingest_login_password"]) {
    await db.schema
      .alterTable("channel")
      .addColumn(column, "text", (built) => built.notNull().defaultTo(""))
      .execute();
  }
  // Null where there is no login: a unique index allows any number of nulls.
  await db.schema.alterTable("channel").addColumn("ingest_login_id_index", "text").execute();
  await db.schema
    .createIndex("channel_by_ingest_login")
    .on("channel")
    .column("ingest_login_id_index")
    .unique()
    .execute();
}
