import type { Kysely } from "kysely";

/** Whom a target behind TLS is believed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const name of ["tls_ca", "tls_fingerprint"]) {
    await db.schema
      .alterTable("target")
      .addColumn(name, "text", (column) => column.notNull().defaultTo(""))
      .execute();
  }
}
