import { type Kysely, sql } from "kysely";

/** Renames the row of a channel's waiting deliveries to a queue, and stores a delivery's state in the API's words. */
export async function up<Tables>(db: Kysely<Tables>): Promise<void> {
  await db.schema.dropIndex("delivery_lane_by_time").execute();
  await db.schema.dropIndex("delivery_lane_by_turn").execute();
  await db.schema.alterTable("delivery_lane").renameTo("delivery_queue").execute();
  await db.schema.createIndex("delivery_queue_by_time").on("delivery_queue").column("next_time").execute();
  await db.schema
    .createIndex("delivery_queue_by_turn")
    .on("delivery_queue")
    .columns(["is_retry", "next_time", "host", "channel_id"])
    .execute();
  await sql`update delivery set state = upper(state)`.execute(db);
}
