import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Secrets } from "../secrets/secrets.ts";

/** Rows read at a time. */
const BATCH_ROWS = 500;

/** The columns, as they are at this step; `id` is the row in the sealed value's place. */
const COLUMNS = [
  { table: "target", id: "target_id", column: "url" },
  { table: "target", id: "target_id", column: "login_id" },
  { table: "webhook_endpoint", id: "scope", column: "url" },
  { table: "delivery", id: "event_id", column: "url" },
] as const;

type Column = (typeof COLUMNS)[number];
type Row = { readonly id: string | number; readonly value: string };

/** Seals addresses, whose path or query may be a secret, and the user names for platforms. */
export async function up<Tables>(db: Kysely<Tables>, secrets: Secrets): Promise<void> {
  for (const column of COLUMNS) await sealColumn(db, secrets, column);
}

async function sealColumn<Tables>(db: Kysely<Tables>, secrets: Secrets, { table, id, column }: Column): Promise<void> {
  let after: Row["id"] | undefined;
  for (;;) {
    const condition = after === undefined ? sql`1 = 1` : sql`${sql.ref(id)} > ${after}`;
    const { rows } = await sql<Row>`select ${sql.ref(id)} as id, ${sql.ref(column)} as value from ${sql.table(table)}
      where ${condition} order by ${sql.ref(id)} limit ${sql.lit(BATCH_ROWS)}`.execute(db);
    for (const row of rows) {
      const sealed = secrets.seal(row.value, { table, column, row: String(row.id) });
      await sql`update ${sql.table(table)} set ${sql.ref(column)} = ${sealed} where ${sql.ref(id)} = ${row.id}`.execute(
        db,
      );
    }
    const last = rows.at(-1);
    if (last === undefined || rows.length < BATCH_ROWS) return;
    after = last.id;
  }
}
