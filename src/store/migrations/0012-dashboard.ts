import type { Kysely } from "kysely";

/** The dashboard's password (one row at most), its set-up token (the same), and the browsers that are signed in. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("dashboard_password")
    .addColumn("id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("hash", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("dashboard_setup")
    .addColumn("id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("token_hash", "text", (column) => column.notNull())
    .addColumn("expires_time", "bigint", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("dashboard_session")
    .addColumn("token_hash", "text", (column) => column.primaryKey().notNull())
    .addColumn("last_used_time", "bigint", (column) => column.notNull())
    .execute();
}
