import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";

/**
 * For several nodes: who sends a channel's deliveries, which ownership an event and a report belong to, and up to which
 * ownership all broadcasts of a channel are finished. On PostgreSQL also what all nodes have to refuse together: unlogged,
 * since a crash of the database may forget it as a restart of a single node does.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema.alterTable("delivery_queue").addColumn("claimed_by", "text").execute();
  await db.schema.alterTable("delivery_queue").addColumn("claim_until", "bigint").execute();
  await db.schema.alterTable("event").addColumn("epoch", "bigint").execute();
  await db.schema.alterTable("event").addColumn("seq", "bigint").execute();
  await db.schema.alterTable("report").addColumn("epoch", "bigint").execute();
  await db.schema
    .alterTable("channel_owner")
    .addColumn("ended_epoch", "bigint", (column) => column.notNull().defaultTo(0))
    .execute();
  await sql`create unique index event_by_epoch on event (channel_id, epoch, seq) where epoch is not null`.execute(db);
  await sql`create index report_running on report (channel_id) where end_reason is null`.execute(db);
  if (!writesSideBySide(db)) return;
  await sql`create unlogged table guard_once (
    kind text collate "C" not null, value text collate "C" not null, until_time bigint not null,
    primary key (kind, value)
  )`.execute(db);
  await sql`create index guard_once_by_time on guard_once (until_time)`.execute(db);
  await sql`create unlogged table guard_count (
    kind text collate "C" not null, value text collate "C" not null, from_time bigint not null, count integer not null,
    primary key (kind, value)
  )`.execute(db);
  await sql`create index guard_count_by_time on guard_count (from_time)`.execute(db);
}
