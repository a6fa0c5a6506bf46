import { randomBytes } from "node:crypto";
import type { Kysely } from "kysely";

const NAME_BYTES = 8;

/** One row: the name that distinguishes this installation from others. It moves with the database. Not secret. */
export async function up(db: Kysely<{ instance: { id: number; name: string } }>): Promise<void> {
  await db.schema
    .createTable("instance")
    .addColumn("id", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("name", "text", (column) => column.notNull())
    .execute();
  await db
    .insertInto("instance")
    .values({ id: 1, name: randomBytes(NAME_BYTES).toString("hex") })
    .execute();
}
