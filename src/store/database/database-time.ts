import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema/schema.ts";

/**
 * On PostgreSQL: milliseconds since the Unix epoch by the database's clock. What several nodes compare with one another
 * is measured by it, since their own clocks may differ.
 */
export const DATABASE_NOW: RawBuilder<number> = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;

/** On PostgreSQL: how far the clock of the database is ahead of this machine's, in milliseconds, to half a round trip. */
export async function clockAheadOf(db: Kysely<Schema>): Promise<number> {
  const askedTime = Date.now();
  const { rows } = await sql<{ now: number }>`select ${DATABASE_NOW} as now`.execute(db);
  const ownTime = (askedTime + Date.now()) / 2;
  return Math.round((rows[0]?.now ?? ownTime) - ownTime);
}
