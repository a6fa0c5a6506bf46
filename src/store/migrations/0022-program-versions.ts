import type { Kysely } from "kysely";

/** The versions of the program that wrote this database, in the order of their first writes. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("program_version")
    .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("version", "text", (column) => column.notNull().unique())
    .execute();
}
