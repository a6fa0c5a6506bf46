import type { Transaction } from "kysely";
import type { Schema } from "../schema/schema.ts";

/** Returns the first of `count` numbers that were never used before. */
export async function takeNumbers(trx: Transaction<Schema>, name: string, count: number): Promise<number> {
  const { value } = await trx
    .insertInto("counter")
    .values({ name, value: count })
    .onConflict((conflict) => conflict.column("name").doUpdateSet((is) => ({ value: is("counter.value", "+", count) })))
    .returning("value")
    .executeTakeFirstOrThrow();
  return Number(value) - count + 1;
}
