import type { Kysely } from "kysely";

/** Which certificate of a target behind TLS is trusted. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const name of ["tls_ca", "tls_fingerprint"]) {
    await db.schema
      .alterTable("target")
      .addColumn(name, "text", (column) => column.notNull().defaultTo(""))
      .execute();
  }
}
