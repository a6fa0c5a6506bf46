import type { Kysely } from "kysely";

/** The browsers that get push notifications, and the key that signs them (at most one row). */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("push_key")
    .addColumn("id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("x", "text", (column) => column.notNull())
    .addColumn("y", "text", (column) => column.notNull())
    .addColumn("d", "text", (column) => column.notNull())
    .execute();
  await db.schema
    .createTable("push_subscription")
    .addColumn("subscription_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("session_hash", "text", (column) => column.notNull())
    .addColumn("endpoint", "text", (column) => column.notNull())
    .addColumn("p256dh", "text", (column) => column.notNull())
    .addColumn("auth", "text", (column) => column.notNull())
    .addColumn("language", "text", (column) => column.notNull())
    .addColumn("contact", "text", (column) => column.notNull())
    .addColumn("scope", "text", (column) => column.notNull())
    .addColumn("channel_ids", "text", (column) => column.notNull())
    .addColumn("labels", "text", (column) => column.notNull())
    .addColumn("severities", "text", (column) => column.notNull())
    .addColumn("is_quiet", "integer", (column) => column.notNull())
    .addColumn("update_time", "bigint", (column) => column.notNull())
    .execute();
}
