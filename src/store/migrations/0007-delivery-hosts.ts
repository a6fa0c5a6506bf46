import type { Kysely } from "kysely";

/**
 * Where a queue's deliveries go and whether the oldest was tried before, and how often a delivery was sent again by
 * request.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // Older queues count as one host until they move, which looks the host up.
  await db.schema
    .alterTable("delivery_lane")
    .addColumn("host", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await db.schema
    .alterTable("delivery_lane")
    .addColumn("is_retry", "integer", (column) => column.notNull().defaultTo(0))
    .execute();
  // The index covers everything that is asked of queues: thousands may wait for one host that does not answer.
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
