import { type QueryExecutorProvider, type RawBuilder, sql } from "kysely";
import { writesSideBySide } from "./locks.ts";

/**
 * A standby that is promoted may not have the last commits of its primary, and would give their numbers out again. So each
 * timeline of a PostgreSQL server has a range of its own, which begins this much higher than that of the timeline before: more
 * than a failover can lose.
 */
export const NUMBERS = 1_000_000;
/** The same for epochs, which a claim without the database raises by up to 2^30. */
const EPOCHS = 2 ** 40;

const later: RawBuilder<number> = sql`(fanfare_timeline() - 1)`;

/** On PostgreSQL: by how much numbers of this timeline are higher than those of the first one. */
export const NUMBERS_BEFORE: RawBuilder<number> = sql`${later} * ${sql.lit(NUMBERS)}`;

/** On PostgreSQL: the lowest epoch of this timeline. */
export const LOWEST_EPOCH: RawBuilder<number> = sql`${later} * ${sql.lit(EPOCHS)} + 1`;

/** The revision after the present one of a row. It is higher than each that a failover lost. */
export function nextRevision(db: QueryExecutorProvider): RawBuilder<number> {
  return writesSideBySide(db) ? sql`greatest(revision, ${NUMBERS_BEFORE}) + 1` : sql`revision + 1`;
}
