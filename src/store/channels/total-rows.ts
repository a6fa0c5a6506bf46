import { type RawBuilder, sql, type Transaction } from "kysely";
import type { TotalsBatch } from "../../control/ports/store.ts";
import { writesSideBySide } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";

type Columns = Readonly<Record<string, "text" | "bigint">>;
type Row = readonly (string | number | null)[];

/**
 * Adds to the stored totals. Rows that no longer exist are skipped. All rows of a table are one statement: this runs for
 * every target on air every few seconds, and one statement for each would cost more than what it writes.
 */
export async function writeTotals(trx: Transaction<Schema>, { channels, targets }: TotalsBatch): Promise<void> {
  if (channels.length > 0) {
    const columns = { channel_id: "text", publish_ms: "bigint", start_time: "bigint" } as const;
    const rows = channels.map((added) => [added.channelId, added.publishMs, added.recentPublishStartTime ?? null]);
    await sql`update channel set publish_ms = channel.publish_ms + added.publish_ms,
      recent_publish_start_time = coalesce(added.start_time, channel.recent_publish_start_time)
      from ${addedRows(trx, columns, rows)} where channel.channel_id = added.channel_id`.execute(trx);
  }
  if (targets.length === 0) return;
  const columns = { target_id: "bigint", bytes: "bigint", play_ms: "bigint", retry_count: "bigint" } as const;
  const rows = targets.map(({ targetId, bytes, playMs, retryCount }) => [targetId, bytes, playMs, retryCount]);
  await sql`update target set bytes = target.bytes + added.bytes, play_ms = target.play_ms + added.play_ms,
    retry_count = target.retry_count + added.retry_count
    from ${addedRows(trx, columns, rows)} where target.target_id = added.target_id`.execute(trx);
}

/** Rows as a table with the name `added`: in PostgreSQL a list for each column, in SQLite, which has no lists, JSON. */
function addedRows(trx: Transaction<Schema>, columns: Columns, rows: readonly Row[]): RawBuilder<unknown> {
  const entries = Object.entries(columns);
  if (writesSideBySide(trx)) {
    const lists = entries.map(([, type], at) => sql`${rows.map((row) => row[at])}::${sql.raw(`${type}[]`)}`);
    return sql`unnest(${sql.join(lists)}) as added (${sql.join(entries.map(([name]) => sql.ref(name)))})`;
  }
  const values = entries.map(([name], at) => sql`value ->> ${sql.lit(at)} as ${sql.ref(name)}`);
  return sql`(select ${sql.join(values)} from json_each(${JSON.stringify(rows)})) as added`;
}
