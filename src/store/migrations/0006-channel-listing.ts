import type { Kysely } from "kysely";
import { sql } from "kysely";

/**
 * The index for the list of channels: in its order, without the deleted ones, so that a late page costs no more than
 * the first.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await sql`create index channel_listed on channel (instance_no) where state != 'deleted'`.execute(db);
}
