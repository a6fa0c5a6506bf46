import { type Kysely, type RawBuilder, sql } from "kysely";
import { writesSideBySide } from "../database/locks.ts";

/**
 * What a list of channels is searched, narrowed and ordered by, in rows of its own. A search looks at every name: rows of 80 bytes
 * take PostgreSQL half as long as the index over rows of 1,000, and stay as they are while totals are written. The database keeps
 * them itself: programs of the version before know nothing of them.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  // SQLite keeps a table in the order of a key of this type alone.
  const number = writesSideBySide(db) ? "bigint" : "integer";
  await db.schema
    .createTable("listed_channel")
    .addColumn("instance_no", number, (column) => column.primaryKey().notNull())
    // In small letters.
    .addColumn("name", "text", (column) => column.notNull())
    .addColumn("state", "text", (column) => column.notNull())
    .addColumn("channel_id", "text", (column) => column.notNull().unique())
    .execute();
  // The triggers come first: on PostgreSQL no other node writes channels from then on, until all of this is there.
  for (const statement of writesSideBySide(db) ? POSTGRES : SQLITE) await statement.execute(db);
  await sql`
    insert into listed_channel (instance_no, name, state, channel_id)
    select instance_no, lower(name), state, channel_id from channel where state != 'deleted' order by instance_no
  `.execute(db);
  await sql`drop index channel_list`.execute(db);
}

/** `name`: the new one in small letters. Both databases know no other capitals than A to Z: text is compared by its bytes. */
const listing = (name: RawBuilder<string>) => sql`
  delete from listed_channel where instance_no = new.instance_no and new.state = 'deleted';
  insert into listed_channel (instance_no, name, state, channel_id)
  select new.instance_no, ${name}, new.state, new.channel_id where new.state != 'deleted'
  on conflict (instance_no) do update set name = excluded.name, state = excluded.state;
`;

const SQLITE = [
  sql`create trigger channel_listed after insert on channel begin ${listing(sql`lower(new.name)`)} end`,
  sql`create trigger channel_listed_again after update of name, state on channel
    when new.name != old.name or new.state != old.state begin ${listing(sql`lower(new.name)`)} end`,
];

const POSTGRES = [
  sql`create function fanfare_list_channel() returns trigger language plpgsql as $$
    begin ${listing(sql`lower(new.name collate "C")`)} return null; end
  $$`,
  sql`create trigger channel_listed after insert on channel for each row execute function fanfare_list_channel()`,
  sql`create trigger channel_listed_again after update of name, state on channel for each row
    when (old.name is distinct from new.name or old.state is distinct from new.state)
    execute function fanfare_list_channel()`,
];
