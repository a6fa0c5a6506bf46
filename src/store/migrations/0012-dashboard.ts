import type { Kysely } from "kysely";

/** The dashboard's password (at most one row), its set-up token (at most one row), and the signed-in browsers. */
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
