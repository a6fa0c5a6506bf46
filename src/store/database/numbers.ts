import { type Kysely, type RawBuilder, sql } from "kysely";
import type { Schema } from "../schema/schema.ts";
import { lockName, writesSideBySide } from "./locks.ts";
import { NUMBERS, NUMBERS_BEFORE } from "./timeline.ts";

/** What is numbered. PostgreSQL has a sequence for each; SQLite a row of `counter`. */
export const NUMBERED = ["channel", "target", "event", "webhook_endpoint", "write-probe", "node", "audit"] as const;

/** The PostgreSQL sequence that numbers these. */
export function sequenceName(name: (typeof NUMBERED)[number]): string {
  return `${name.replace("-", "_")}_number`;
}

/** The columns that the numbers are in. */
const COLUMNS = {
  channel: "instance_no",
  target: "target_id",
  event: "event_id",
  webhook_endpoint: "revision",
  node: "incarnation",
  audit: "audit_id",
} as const;

/**
 * On PostgreSQL: makes the next numbers higher than all that the tables have. A database that `pg_restore` or `pg_upgrade`
 * brought to a new server begins with the first timeline again, and its sequences are below the numbers of later ones.
 */
export async function catchUpNumbers(db: Kysely<Schema>): Promise<void> {
  if (!writesSideBySide(db)) return;
  await db.transaction().execute(async (trx) => {
    await lockName(trx, "numbers");
    for (const name of NUMBERED) {
      if (name === "write-probe") continue;
      const sequence = sequenceName(name);
      // Rows with the highest numbers may be deleted, so it goes on well above those that are there.
      await sql`
        select setval(${sequence}, given.highest + ${sql.lit(NUMBERS)})
        from (
          select coalesce(max(${sql.ref(COLUMNS[name])}), 0) - ${NUMBERS_BEFORE} as highest from ${sql.table(name)}
        ) as given
        where given.highest > (select last_value from ${sql.table(sequence)})
      `.execute(trx);
    }
  });
}

/**
 * Returns `count` rising numbers that were never given out before. On PostgreSQL others may lie between them: a counter's
 * row would make every writer wait for the one before it. There they also differ from those that a failover lost.
 */
export async function takeNumbers(
  trx: Kysely<Schema>,
  name: (typeof NUMBERED)[number],
  count: number,
): Promise<readonly number[]> {
  if (writesSideBySide(trx)) {
    const { rows } = await sql<{
      value: number;
    }>`select ${nextOf(name)} as value from generate_series(1, ${count})`.execute(trx);
    return rows.map(({ value }) => Number(value));
  }
  const { value } = await trx
    .insertInto("counter")
    .values({ name, value: count })
    .onConflict((conflict) => conflict.column("name").doUpdateSet((is) => ({ value: is("counter.value", "+", count) })))
    .returning("value")
    .executeTakeFirstOrThrow();
  const last = Number(value);
  return Array.from({ length: count }, (_, index) => last - count + 1 + index);
}

/** One such number as a value of a row that is inserted: PostgreSQL takes it in that statement. */
export async function numberForRow(
  trx: Kysely<Schema>,
  name: (typeof NUMBERED)[number],
): Promise<number | RawBuilder<number>> {
  return writesSideBySide(trx) ? nextOf(name) : await takeNumber(trx, name);
}

/** On PostgreSQL: the next number. */
function nextOf(name: (typeof NUMBERED)[number]): RawBuilder<number> {
  return sql`${sql.raw(`nextval('${sequenceName(name)}')`)} + ${NUMBERS_BEFORE}`;
}

/** Returns one number that was never given out before. */
export async function takeNumber(trx: Kysely<Schema>, name: (typeof NUMBERED)[number]): Promise<number> {
  const [number] = await takeNumbers(trx, name, 1);
  if (number === undefined) throw new Error(`the database gave no number for ${name}`);
  return number;
}
