import type { Kysely } from "kysely";
import type { Schema } from "../schema/schema.ts";

/**
 * Whether a program that knows these steps can work beside the newer one that ran the unknown steps: each of them says
 * so by its row of `schema_compat`. A step without a row changes something that older programs rely on.
 */
export async function areCompatible(
  db: Kysely<Schema>,
  unknown: readonly string[],
  known: readonly string[],
): Promise<boolean> {
  const rows = await db.selectFrom("schema_compat").selectAll().execute();
  const compatibleFrom = new Map(rows.map(({ step, compatible_from: from }) => [step, from]));
  return unknown.every((step) => known.includes(compatibleFrom.get(step) ?? ""));
}
