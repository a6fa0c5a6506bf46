import { type Kysely, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";

/**
 * How many channels there are of each thousand numbers, so that a list is not counted, and the way to a late page is not walked,
 * row by row. The database keeps the counts itself: programs of the version before know nothing of them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable("channel_count")
    .addColumn("block", "bigint", (column) => column.primaryKey().notNull())
    .addColumn("live", "bigint", (column) => column.notNull())
    .addColumn("blocked", "bigint", (column) => column.notNull())
    .execute();
  // The triggers come first: on PostgreSQL no other node writes channels from then on, until all of this is there.
  for (const statement of writesSideBySide(db) ? POSTGRES : SQLITE) await statement.execute(db);
  await sql`
    insert into channel_count (block, live, blocked)
    select instance_no / 1000, sum(case state when 'live' then 1 else 0 end), sum(case state when 'blocked' then 1 else 0 end)
    from channel where state != 'deleted' group by instance_no / 1000
  `.execute(db);
}

const SQLITE = [
  sql`create trigger channel_counted after insert on channel begin
    insert into channel_count (block, live, blocked)
    values (new.instance_no / 1000, new.state = 'live', new.state = 'blocked')
    on conflict (block) do update set live = live + excluded.live, blocked = blocked + excluded.blocked;
  end`,
  sql`create trigger channel_counted_again after update of state on channel when new.state != old.state begin
    update channel_count set live = live + (new.state = 'live') - (old.state = 'live'),
      blocked = blocked + (new.state = 'blocked') - (old.state = 'blocked')
    where block = new.instance_no / 1000;
  end`,
];

/** Deferred to the commit: those who create channels wait for each other no longer than that takes. */
const POSTGRES = [
  sql`create function fanfare_count_channel() returns trigger language plpgsql as $$
    begin
      if tg_op = 'INSERT' then
        insert into channel_count (block, live, blocked)
        values (new.instance_no / 1000, (new.state = 'live')::int, (new.state = 'blocked')::int)
        on conflict (block) do update
          set live = channel_count.live + excluded.live, blocked = channel_count.blocked + excluded.blocked;
      else
        update channel_count set live = live + (new.state = 'live')::int - (old.state = 'live')::int,
          blocked = blocked + (new.state = 'blocked')::int - (old.state = 'blocked')::int
        where block = new.instance_no / 1000;
      end if;
      return null;
    end
  $$`,
  sql`create constraint trigger channel_counted after insert on channel
    deferrable initially deferred for each row execute function fanfare_count_channel()`,
  sql`create constraint trigger channel_counted_again after update of state on channel
    deferrable initially deferred for each row when (old.state is distinct from new.state)
    execute function fanfare_count_channel()`,
];
