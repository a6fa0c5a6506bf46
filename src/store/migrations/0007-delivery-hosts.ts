import type { Kysely } from "kysely";

/** Where a queue leads and whether it was tried before, and how often a delivery was asked for again. */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Queues of before count as one host, which is looked up when they move.
  await db.schema
    .alterTable("delivery_lane")
    .addColumn("host", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await db.schema
    .alterTable("delivery_lane")
    .addColumn("is_retry", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  // With all that is asked of queues: thousands may wait for one host that does not answer.
  await db.schema
    .createIndex("delivery_lane_by_turn")
    .on("delivery_lane")
    .columns(["is_retry", "next_time", "host", "channel_id"])
    .execute();
  await db.schema
    .alterTable("delivery")
    .addColumn("resend_count", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
}
