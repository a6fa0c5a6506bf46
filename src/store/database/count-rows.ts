import { type Kysely, type SelectQueryBuilder, sql } from "kysely";
import type { Page } from "../../control/ports/store.ts";
import type { Schema } from "../schema/schema.ts";

/** Counting takes time for each row. Up to this many are counted exactly. */
const COUNTED_MAX = 100_000;

/**
 * Returns how many rows a list has. Of more than `countedMax` it returns that, or twice as many as the pages up to this one have:
 * who reads page after page up to the total still gets all of them.
 */
export async function countRows<Table extends keyof Schema>(
  db: Kysely<Schema>,
  rows: SelectQueryBuilder<Schema, Table, object>,
  page: Page,
  countedMax: number = COUNTED_MAX,
): Promise<number> {
  const some = rows.select(sql.lit(1).as("one")).limit(Math.max(countedMax, 2 * page.number * page.size));
  const { total } = await db
    .selectFrom(some.as("counted"))
    .select(({ fn }) => fn.countAll<number>().as("total"))
    .executeTakeFirstOrThrow();
  return Number(total);
}
