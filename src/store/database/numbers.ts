import { sql, type Transaction } from "kysely";
import type { Schema } from "../schema/schema.ts";
import { writesSideBySide } from "./locks.ts";
import { NUMBERS_BEFORE } from "./timeline.ts";

/** What is numbered. PostgreSQL has a sequence for each; SQLite a row of `counter`. */
export const NUMBERED = ["channel", "target", "event", "webhook_endpoint", "write-probe", "node", "audit"] as const;

/** The PostgreSQL sequence that numbers these. */
export function sequenceName(name: (typeof NUMBERED)[number]): string {
  return `${name.replace("-", "_")}_number`;
}

/**
 * Returns `count` rising numbers that were never given out before. On PostgreSQL others may lie between them: a counter's
 * row would make every writer wait for the one before it. There they also differ from those that a failover lost.
 */
export async function takeNumbers(
  trx: Transaction<Schema>,
  name: (typeof NUMBERED)[number],
  count: number,
): Promise<readonly number[]> {
  if (writesSideBySide(trx)) {
    const next = sql`${sql.raw(`nextval('${sequenceName(name)}')`)} + ${NUMBERS_BEFORE}`;
    const { rows } = await sql<{ value: number }>`select ${next} as value from generate_series(1, ${count})`.execute(
      trx,
    );
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

/** Returns one number that was never given out before. */
export async function takeNumber(trx: Transaction<Schema>, name: (typeof NUMBERED)[number]): Promise<number> {
  const [number] = await takeNumbers(trx, name, 1);
  if (number === undefined) throw new Error(`the database gave no number for ${name}`);
  return number;
}
