import type { Transaction } from "kysely";
import type { TotalsBatch } from "../control/store.ts";
import type { Schema } from "./schema.ts";

/** Adds to the stored totals. Rows that are gone are skipped. */
export async function writeTotals(trx: Transaction<Schema>, batch: TotalsBatch): Promise<void> {
  for (const { channelId, publishMs, recentPublishStartTime } of batch.channels) {
    await trx
      .updateTable("channel")
      .set((is) => ({
        publish_ms: is("publish_ms", "+", publishMs),
        ...(recentPublishStartTime === undefined ? {} : { recent_publish_start_time: recentPublishStartTime }),
      }))
      .where("channel_id", "=", channelId)
      .execute();
  }
  for (const { targetId, bytes, playMs, retryCount } of batch.targets) {
    await trx
      .updateTable("target")
      .set((is) => ({
        bytes: is("bytes", "+", bytes),
        play_ms: is("play_ms", "+", playMs),
        retry_count: is("retry_count", "+", retryCount),
      }))
      .where("target_id", "=", targetId)
      .execute();
  }
}
