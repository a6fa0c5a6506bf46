import type { Kysely } from "kysely";

/** Events, webhook endpoints, and deliveries. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("event")
    .addColumn("event_id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("channel_id", "text", (column) => column.notNull())
    .addColumn("code", "text", (column) => column.notNull())
    .addColumn("level", "text", (column) => column.notNull())
    .addColumn("time", "bigint", (column) => column.notNull())
    .addColumn("description", "text", (column) => column.notNull())
    .addColumn("target_id", "bigint")
    .addColumn("from_status", "text")
    .addColumn("to_status", "text")
    .addColumn("reason", "text")
    .execute();
  await db.schema.createIndex("event_by_channel").on("event").columns(["channel_id", "event_id"]).execute();
  await db.schema.createIndex("event_by_time").on("event").column("time").execute();

  await db.schema
    .createTable("webhook_endpoint")
    .addColumn("scope", "text", (column) => column.primaryKey().notNull())
    .addColumn("url", "text", (column) => column.notNull())
    .addColumn("secret", "text", (column) => column.notNull())
    .addColumn("revision", "bigint", (column) => column.notNull())
    .addColumn("update_time", "bigint", (column) => column.notNull())
    .addColumn("gone_time", "bigint")
    .execute();

  await db.schema
    .createTable("delivery")
    .addColumn("event_id", "bigint", (column) => column.primaryKey().notNull().references("event.event_id"))
    .addColumn("channel_id", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("url", "text", (column) => column.notNull())
    .addColumn("attempts", "integer", (column) => column.notNull())
    .addColumn("last_status", "integer")
    .addColumn("last_problem", "text")
    .addColumn("retry_until", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("delivery_by_channel").on("delivery").columns(["channel_id", "event_id"]).execute();
  await db.schema.createIndex("delivery_waiting").on("delivery").columns(["state", "channel_id", "event_id"]).execute();

  await db.schema
    .createTable("delivery_lane")
    .addColumn("channel_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("next_time", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("delivery_lane_by_time").on("delivery_lane").column("next_time").execute();
}
