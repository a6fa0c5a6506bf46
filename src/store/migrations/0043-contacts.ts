import type { Kysely } from "kysely";

/** Contacts, and the events that wait to be told to them. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("contact")
    .addColumn("contact_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("address", "text", (column) => column.notNull())
    .addColumn("is_enabled", "integer", (column) => column.notNull())
    .addColumn("events", "text", (column) => column.notNull())
    .addColumn("channel_ids", "text", (column) => column.notNull())
    .addColumn("language", "text", (column) => column.notNull())
    .addColumn("created_time", "bigint", (column) => column.notNull())
    .addColumn("update_time", "bigint", (column) => column.notNull())
    .addColumn("told", "text", (column) => column.notNull())
    .addColumn("dropped_count", "integer", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("last_sent_time", "bigint")
    .addColumn("last_status", "integer")
    .addColumn("last_problem", "text")
    .addColumn("next_time", "bigint")
    .addColumn("claim_until", "bigint")
    .execute();
  await db.schema
    .createTable("contact_notice")
    .addColumn("contact_id", "text", (column) => column.notNull())
    .addColumn("event_id", "bigint", (column) => column.notNull())
    .addPrimaryKeyConstraint("contact_notice_key", ["contact_id", "event_id"])
    .execute();
}
