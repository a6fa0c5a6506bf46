import type { Kysely } from "kysely";

/** When targets are on. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const [column, type, value] of [
    ["windows", "text", ""],
    ["is_outside_windows", "integer", 0],
    ["open_until", "bigint", 0],
  ] as const) {
    await db.schema
      .alterTable("target")
      .addColumn(column, type, (made) => made.notNull().defaultTo(value))
      .execute();
  }
}
