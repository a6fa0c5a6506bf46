import type { Kysely } from "kysely";
import { DATABASE_NOW as NOW } from "../database/database-time.ts";
import type { Schema } from "../schema/schema.ts";

/**
 * Of these keys of a node, the id of the one that it may seal with: the first that every living node has, since all have to
 * open what one stores. The first of all where no node lives, or where they have none in common.
 */
export async function commonKeyId(
  db: Kysely<Schema>,
  [first, ...others]: readonly [string, ...string[]],
): Promise<string> {
  const rows = await db
    .selectFrom("node")
    .select("key_ids")
    .where("state", "in", ["serving", "draining"])
    .where("lease_until", ">", NOW)
    .execute();
  const lists = rows.map((row): readonly string[] => JSON.parse(row.key_ids));
  return [first, ...others].find((id) => lists.every((list) => list.includes(id))) ?? first;
}
