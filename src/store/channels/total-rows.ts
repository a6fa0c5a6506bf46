import type { CompiledQuery, Transaction } from "kysely";
import type { TotalsBatch } from "../../control/ports/store.ts";
import type { Schema } from "../schema/schema.ts";

/**
 * Adds to the stored totals. Rows that no longer exist are skipped. Each statement is built once for all its rows: this
 * runs for every target on air every few seconds, and building costs more than writing.
 */
export async function writeTotals(trx: Transaction<Schema>, batch: TotalsBatch): Promise<void> {
  const addToChannel = channelStatement(trx);
  for (const { channelId, publishMs, recentPublishStartTime } of batch.channels) {
    await trx.executeQuery({ ...addToChannel, parameters: [publishMs, recentPublishStartTime ?? null, channelId] });
  }
  const addToTarget = targetStatement(trx);
  for (const { targetId, bytes, playMs, retryCount } of batch.targets) {
    await trx.executeQuery({ ...addToTarget, parameters: [bytes, playMs, retryCount, targetId] });
  }
}

/** Parameters: milliseconds on air; start of the last broadcast where it is new, else null; the channel. */
function channelStatement(trx: Transaction<Schema>): CompiledQuery {
  return trx
    .updateTable("channel")
    .set((is) => ({
      publish_ms: is("publish_ms", "+", 0),
      recent_publish_start_time: is.fn.coalesce(is.val<number | null>(null), "recent_publish_start_time"),
    }))
    .where("channel_id", "=", "")
    .compile();
}

/** Parameters: bytes; milliseconds on air; retries; the target. */
function targetStatement(trx: Transaction<Schema>): CompiledQuery {
  return trx
    .updateTable("target")
    .set((is) => ({
      bytes: is("bytes", "+", 0),
      play_ms: is("play_ms", "+", 0),
      retry_count: is("retry_count", "+", 0),
    }))
    .where("target_id", "=", 0)
    .compile();
}
