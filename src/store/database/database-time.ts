import { type RawBuilder, sql } from "kysely";

/**
 * On PostgreSQL: milliseconds since the Unix epoch by the database's clock. What several nodes compare with one another
 * is measured by it, since their own clocks may differ.
 */
export const DATABASE_NOW: RawBuilder<number> = sql`(extract(epoch from clock_timestamp()) * 1000)::bigint`;
