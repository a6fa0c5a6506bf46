import type { Kysely } from "kysely";

/** Which versions of the program wrote this database, in the order they first did. */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("program_version")
    .addColumn("id", "integer", (column) => column.primaryKey().autoIncrement())
    .addColumn("version", "text", (column) => column.notNull().unique())
    .execute();
}
