import type { Kysely } from "kysely";

/** Channels, their targets, access keys, and the counters that number the first two. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Numbers come from this table, not from the database's own sequences: the code is the same for both databases, and
  // no number is used twice.
  await db.schema
    .createTable("counter")
    .addColumn("name", "text", (column) => column.primaryKey().notNull())
    .addColumn("value", "bigint", (column) => column.notNull())
    .execute();

  await db.schema
    .createTable("channel")
    .addColumn("channel_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("instance_no", "bigint", (column) => column.notNull().unique())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("plan_type", "text", (column) => column.notNull())
    .addColumn("env_type", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("stream_key", "text", (column) => column.notNull().unique())
    .addColumn("created_time", "bigint", (column) => column.notNull())
    .addColumn("revision", "bigint", (column) => column.notNull())
    .addColumn("publish_ms", "bigint", (column) => column.notNull())
    .addColumn("recent_publish_start_time", "bigint")
    .execute();

  await db.schema
    .createTable("target")
    .addColumn("target_id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("channel_id", "text", (column) => column.notNull().references("channel.channel_id"))
    .addColumn("target_name", "text", (column) => column.notNull())
    .addColumn("url", "text", (column) => column.notNull())
    .addColumn("stream_key", "text", (column) => column.notNull())
    .addColumn("login_id", "text", (column) => column.notNull())
    .addColumn("login_password", "text", (column) => column.notNull())
    .addColumn("label", "text", (column) => column.notNull())
    .addColumn("is_enabled", "integer", (column) => column.notNull())
    .addColumn("bytes", "bigint", (column) => column.notNull())
    .addColumn("play_ms", "bigint", (column) => column.notNull())
    .addColumn("retry_count", "bigint", (column) => column.notNull())
    .execute();
  await db.schema.createIndex("target_by_channel").on("target").column("channel_id").execute();

  await db.schema
    .createTable("access_key")
    .addColumn("access_key_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("secret_key", "text", (column) => column.notNull())
    .addColumn("secret_hash", "text", (column) => column.notNull())
    .addColumn("role", "text", (column) => column.notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("created_time", "bigint", (column) => column.notNull())
    .execute();
  // Not unique: two configured keys may share a secret; a look-up then prefers the manager.
  await db.schema.createIndex("access_key_by_secret").on("access_key").column("secret_hash").execute();
}
