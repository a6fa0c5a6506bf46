import type { Kysely } from "kysely";
import type { Schema } from "../schema/schema.ts";

/**
 * For each step since the first version with several nodes: the oldest last step of a program that can work beside it. A
 * step that is missing here changes something that older programs rely on.
 */
const COMPATIBLE_FROM: Readonly<Record<string, string>> = {
  "0044-source-nodes": "0043-contacts",
  "0045-timeline": "0043-contacts",
  "0046-channel-search": "0043-contacts",
  "0047-channel-counts": "0043-contacts",
  "0048-listed-channels": "0043-contacts",
};

/** Stores which of this program's steps older programs can work with. Idempotent. */
export async function noteCompatibility(db: Kysely<Schema>): Promise<void> {
  const noted = new Set((await db.selectFrom("schema_compat").select("step").execute()).map(({ step }) => step));
  const missing = Object.entries(COMPATIBLE_FROM).filter(([step]) => !noted.has(step));
  if (missing.length === 0) return;
  await db
    .insertInto("schema_compat")
    .values(missing.map(([step, compatible_from]) => ({ step, compatible_from })))
    .onConflict((conflict) => conflict.column("step").doNothing())
    .execute();
}

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
