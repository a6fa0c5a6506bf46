import { type Kysely, type SelectQueryBuilder, sql, type Transaction } from "kysely";
import type { Channel } from "../../control/channels/channel.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { writesSideBySide } from "../database/locks.ts";
import { nextRevision } from "../database/timeline.ts";
import type { ChannelRow, Schema, TargetRow } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { callbackUrl } from "./channel-list.ts";
import { readChannel, readTarget } from "./rows.ts";

type Rows = SelectQueryBuilder<Schema, "channel", object>;

/** A channel with its targets; undefined where it is deleted, or never was. */
export function selectChannel(
  db: Kysely<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
): Promise<Channel | undefined> {
  return select(db, secrets, db.selectFrom("channel").where("channel_id", "=", channelId));
}

/** The same, by its main or its backup key. */
export function selectChannelByKey(
  db: Kysely<Schema>,
  secrets: Secrets,
  streamKey: string,
): Promise<Channel | undefined> {
  const rows = db
    .selectFrom("channel")
    .where((is) =>
      is.or([
        is("stream_key_index", "in", secrets.indexes(streamKey, "channel", "stream_key")),
        is("backup_stream_key_index", "in", secrets.indexes(streamKey, "channel", "backup_stream_key")),
      ]),
    );
  return select(db, secrets, rows);
}

async function select(db: Kysely<Schema>, secrets: Secrets, rows: Rows): Promise<Channel | undefined> {
  const wanted = rows.where("state", "!=", "deleted").selectAll().select(callbackUrl);
  if (writesSideBySide(db)) {
    const found = await wanted.select(targetsInOne).executeTakeFirst();
    return found === undefined ? undefined : read(found, found.targets, secrets);
  }
  const found = await wanted.executeTakeFirst();
  return found === undefined ? undefined : read(found, await selectTargets(db, found.channel_id), secrets);
}

function read(row: Parameters<typeof readChannel>[0], targets: readonly TargetRow[], secrets: Secrets): Channel {
  return {
    ...readChannel(row, targets.length, secrets),
    targets: targets.map((target) => readTarget(target, secrets)),
  };
}

/**
 * The targets of a channel as a column in PostgreSQL's query for it: one round trip to the server, and all of one moment. In this
 * process a second statement costs nothing.
 */
const targetsInOne = sql<readonly TargetRow[]>`(
  select coalesce(json_agg(target order by target_id), '[]') from target where target.channel_id = channel.channel_id
)`.as("targets");

function selectTargets(db: Kysely<Schema>, channelId: ChannelId): Promise<readonly TargetRow[]> {
  return db.selectFrom("target").where("channel_id", "=", channelId).orderBy("target_id").selectAll().execute();
}

/** A channel as its changed row has it. `present`: as it was in the same transaction, with the rest of it. */
export function readChangedChannel(row: ChannelRow, present: Channel, secrets: Secrets): Channel {
  const { callbackUrl: url, targets } = present;
  const changed = readChannel({ ...row, callback_url: null }, targets.length, secrets);
  return { ...changed, ...(url === undefined ? {} : { callbackUrl: url }), targets };
}

/** Every change of a channel raises its revision, also one of its targets. Returns the new one. */
export async function raiseRevision(trx: Transaction<Schema>, channelId: ChannelId): Promise<number> {
  const { revision } = await trx
    .updateTable("channel")
    .set({ revision: nextRevision(trx) })
    .where("channel_id", "=", channelId)
    .returning("revision")
    .executeTakeFirstOrThrow();
  return Number(revision);
}
