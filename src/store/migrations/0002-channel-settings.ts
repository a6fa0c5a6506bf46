import type { Kysely } from "kysely";

/** A channel's alert settings, and when an access key was last used. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // One statement each: SQLite adds one column at a time. The defaults are those of a channel whose alerts were never
  // set.
  const alerts = [
    ["alert_on", 0],
    ["alert_channel_status", 1],
    ["alert_vod_uploads", 1],
    ["alert_target_failures", 1],
  ] as const;
  for (const [name, value] of alerts) {
    await db.schema
      .alterTable("channel")
      .addColumn(name, "integer", (column) => column.notNull().defaultTo(value))
      .execute();
  }
  await db.schema.alterTable("access_key").addColumn("last_used_time", "bigint").execute();
}
