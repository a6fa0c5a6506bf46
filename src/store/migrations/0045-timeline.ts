import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";

/**
 * On PostgreSQL: the server's timeline, which rises with each promotion of a standby. Servers that do not say it (some that are
 * rented) count as on their first one.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  if (!writesSideBySide(db)) return;
  await sql`create function fanfare_timeline() returns bigint language plpgsql as $$
    begin
      return ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint;
    exception when others then
      return 1;
    end
  $$`.execute(db);
}
