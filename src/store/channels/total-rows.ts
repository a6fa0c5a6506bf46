import { type CompiledQuery, sql, type Transaction } from "kysely";
import type { TotalsBatch } from "../../control/ports/store.ts";
import { writesSideBySide } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";

/**
 * Adds to the stored totals. Rows that no longer exist are skipped. On PostgreSQL all rows of a table are one statement. On
 * SQLite each statement is built once for all its rows: this runs for every target on air every few seconds, and building
 * costs more than writing.
 */
export async function writeTotals(trx: Transaction<Schema>, batch: TotalsBatch): Promise<void> {
  if (writesSideBySide(trx)) return await writeAtOnce(trx, batch);
  const addToChannel = channelStatement(trx);
  for (const { channelId, publishMs, recentPublishStartTime } of batch.channels) {
    await trx.executeQuery({ ...addToChannel, parameters: [publishMs, recentPublishStartTime ?? null, channelId] });
  }
  const addToTarget = targetStatement(trx);
  for (const { targetId, bytes, playMs, retryCount } of batch.targets) {
    await trx.executeQuery({ ...addToTarget, parameters: [bytes, playMs, retryCount, targetId] });
  }
}

async function writeAtOnce(trx: Transaction<Schema>, { channels, targets }: TotalsBatch): Promise<void> {
  if (channels.length > 0) {
    const ids = channels.map(({ channelId }) => channelId);
    const starts = channels.map(({ recentPublishStartTime }) => recentPublishStartTime ?? null);
    await sql`update channel set publish_ms = channel.publish_ms + added.publish_ms,
      recent_publish_start_time = coalesce(added.start_time, channel.recent_publish_start_time)
      from unnest(${ids}::text[], ${channels.map(({ publishMs }) => publishMs)}::bigint[], ${starts}::bigint[])
        as added (channel_id, publish_ms, start_time)
      where channel.channel_id = added.channel_id`.execute(trx);
  }
  if (targets.length === 0) return;
  const column = (name: "targetId" | "bytes" | "playMs" | "retryCount") => targets.map((target) => target[name]);
  await sql`update target set bytes = target.bytes + added.bytes, play_ms = target.play_ms + added.play_ms,
    retry_count = target.retry_count + added.retry_count
    from unnest(${column("targetId")}::bigint[], ${column("bytes")}::bigint[], ${column("playMs")}::bigint[],
      ${column("retryCount")}::bigint[]) as added (target_id, bytes, play_ms, retry_count)
    where target.target_id = added.target_id`.execute(trx);
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
