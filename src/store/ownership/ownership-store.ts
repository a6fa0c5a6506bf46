import { sql } from "kysely";
import {
  type ChannelOwner,
  type ClaimResult,
  type ClusterNode,
  type ComparedRow,
  type Incarnation,
  type NewNode,
  NODE_STATES,
  type NodeKeyStore,
  type NodeState,
  type OwnershipRow,
  type OwnershipStore,
  type UnfinishedOwnership,
} from "../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Database } from "../database/database.ts";
import { DATABASE_NOW as NOW } from "../database/database-time.ts";
import { takeNumber } from "../database/numbers.ts";
import { oneOf } from "../database/one-of.ts";
import { LOWEST_EPOCH } from "../database/timeline.ts";

/** Rows that one list returns. */
const LISTED_MAX = 200;
/** Whoever takes a channel over finishes the ownership before it, or moves its broadcast, within this time, in milliseconds. */
const TAKEN_OVER_MS = 300_000;

type OwnerColumns = {
  readonly channel_id: string;
  readonly incarnation: number | null;
  readonly home: number | null;
  readonly epoch: number;
};

/**
 * Nodes and ownerships in PostgreSQL. A claim is one statement: the row's lock decides between nodes, and the epoch that
 * each has seen lets one of them win.
 */
export class PostgresOwnershipStore implements OwnershipStore, NodeKeyStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  addNode(node: NewNode, leaseMs: number): Promise<Incarnation> {
    return this.#database.write(async (trx) => {
      const incarnation = await takeNumber(trx, "node");
      await trx
        .insertInto("node")
        .values(nodeColumns(incarnation, node, leaseMs))
        .execute();
      return incarnation;
    });
  }

  restoreNode(incarnation: Incarnation, node: NewNode, leaseMs: number): Promise<void> {
    return this.#database.writeOnce(async (db) => {
      await db
        .insertInto("node")
        .values(nodeColumns(incarnation, node, leaseMs))
        .onConflict((conflict) => conflict.column("incarnation").doNothing())
        .execute();
    });
  }

  renewLease(incarnation: Incarnation, leaseMs: number): Promise<NodeState | undefined> {
    return this.#database.writeOnce(async (db) => {
      const renewed = await db
        .updateTable("node")
        .set({
          lease_until: sql<number>`${NOW} + ${leaseMs}`,
          state: sql<string>`case state when 'lost' then 'serving' else state end`,
        })
        .where("incarnation", "=", incarnation)
        .returning("state")
        .executeTakeFirst();
      return renewed === undefined ? undefined : oneOf(NODE_STATES, renewed.state);
    });
  }

  setNodeState(incarnation: Incarnation, state: Exclude<NodeState, "lost">): Promise<void> {
    return this.#database.writeOnce(async (db) => {
      await db.updateTable("node").set({ state }).where("incarnation", "=", incarnation).execute();
    });
  }

  setNodeKeys(incarnation: Incarnation, keyIds: readonly string[]): Promise<void> {
    return this.#database.writeOnce(async (db) => {
      const set = { key_ids: JSON.stringify(keyIds) };
      await db.updateTable("node").set(set).where("incarnation", "=", incarnation).execute();
    });
  }

  markLost(incarnation: Incarnation): Promise<boolean> {
    return this.#database.writeOnce(async (db) => {
      const { numUpdatedRows } = await db
        .updateTable("node")
        .set({ state: "lost" })
        .where("incarnation", "=", incarnation)
        .where("state", "in", ["serving", "draining"])
        .where("lease_until", "<", NOW)
        .executeTakeFirst();
      return numUpdatedRows === 1n;
    });
  }

  listNodes(): Promise<readonly ClusterNode[]> {
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("node")
        .selectAll()
        .select(sql<number>`lease_until - ${NOW}`.as("lease_left"))
        .where(({ or, eb, exists, selectFrom }) =>
          or([
            eb("state", "!=", "left"),
            exists(
              selectFrom("channel_owner")
                .whereRef("channel_owner.incarnation", "=", "node.incarnation")
                .select("channel_owner.channel_id"),
            ),
          ]),
        )
        .orderBy("incarnation")
        .execute();
      return rows.map((row) => ({
        incarnation: Number(row.incarnation),
        nodeId: row.node_id,
        state: oneOf(NODE_STATES, row.state),
        leaseLeftMs: Number(row.lease_left),
        advertise: JSON.parse(row.advertise),
        version: row.version,
        schemaStep: row.schema_step,
        keyIds: JSON.parse(row.key_ids),
      }));
    });
  }

  claim(channelId: ChannelId, { incarnation, home }: ChannelOwner, seenEpoch: number): Promise<ClaimResult> {
    return this.#database.writeOnce(async (db) => {
      // Shares the channel's row against its deletion; writes of its totals do not block this.
      const { rows } = await sql<{ epoch: number; by: number | null; was: number | null; revision: number }>`
        with live as (
          select channel_id, revision from channel where channel_id = ${channelId} and state = 'live' for key share
        ), serving as (
          select incarnation from node where incarnation = ${incarnation} and state = 'serving'
        )
        insert into channel_owner as present (channel_id, incarnation, home, epoch, since)
        select live.channel_id, serving.incarnation, ${home}, ${LOWEST_EPOCH}, ${NOW} from live, serving
        where ${seenEpoch}::bigint = 0 or exists (select 1 from channel_owner o where o.channel_id = live.channel_id)
        on conflict (channel_id) do update set
          former_incarnation = present.incarnation, former_epoch = present.epoch, incarnation = excluded.incarnation,
          home = excluded.home, epoch = greatest(present.epoch + 1, excluded.epoch), since = ${NOW}
        where present.epoch = ${seenEpoch}
        returning epoch, former_incarnation as by, former_epoch as was, (select revision from live) as revision
      `.execute(db);
      const [claimed] = rows;
      if (claimed === undefined) return { kind: "taken" };
      const { epoch, by, was, revision } = claimed;
      const former = by === null || was === null ? {} : { former: { incarnation: by, epoch: was } };
      return { kind: "owned", epoch, revision, ...former };
    });
  }

  assertOwner(channelId: ChannelId, { incarnation, home }: ChannelOwner, epoch: number): Promise<boolean> {
    return this.#database.writeOnce(async (db) => {
      const { rows } = await sql`
        with live as (select channel_id from channel where channel_id = ${channelId} and state = 'live' for key share)
        insert into channel_owner as present (channel_id, incarnation, home, epoch, since)
        select live.channel_id, ${incarnation}, ${home}, ${epoch}, ${NOW} from live
        on conflict (channel_id) do update set
          incarnation = excluded.incarnation, home = excluded.home, epoch = excluded.epoch, since = ${NOW}
        where (present.epoch, coalesce(present.incarnation, 0)) < (excluded.epoch, excluded.incarnation)
        returning epoch
      `.execute(db);
      return rows.length === 1;
    });
  }

  raiseRevision(channelId: ChannelId, above: number): Promise<void> {
    return this.#database.writeOnce(async (db) => {
      await db
        .updateTable("channel")
        .set({ revision: above + 1 })
        .where("channel_id", "=", channelId)
        .where("revision", "<=", above)
        .execute();
    });
  }

  release(channelId: ChannelId, incarnation: Incarnation, epoch: number): Promise<void> {
    return this.#database.writeOnce(async (db) => {
      // The row stays: the next epoch must be higher than all before.
      await db
        .updateTable("channel_owner")
        .set((is) => ({
          former_incarnation: is.ref("incarnation"),
          former_epoch: is.ref("epoch"),
          incarnation: null,
          home: null,
          since: NOW,
        }))
        .where("channel_id", "=", channelId)
        .where("incarnation", "=", incarnation)
        .where("epoch", "=", epoch)
        .execute();
    });
  }

  findOwner(channelId: ChannelId): Promise<OwnershipRow | undefined> {
    return this.#database.read(async (db) => {
      const row = await db
        .selectFrom("channel_owner")
        .where("channel_id", "=", channelId)
        .select(["channel_id", "incarnation", "home", "epoch"])
        .executeTakeFirst();
      return row === undefined ? undefined : readOwnership(row);
    });
  }

  listUnfinished(): Promise<readonly UnfinishedOwnership[]> {
    return this.#database.read(async (db) => {
      const { rows } = await sql<{ channel_id: string; epoch: number }>`
        select owner.channel_id, owner.epoch from channel_owner owner
        join node on node.incarnation = owner.incarnation join channel on channel.channel_id = owner.channel_id
        where node.state = 'lost' and node.lease_until < ${NOW} and owner.ended_epoch < owner.epoch
        union all
        select owner.channel_id, owner.former_epoch from channel_owner owner
        join channel on channel.channel_id = owner.channel_id
        where owner.incarnation is not null and owner.former_incarnation is not null
        and owner.ended_epoch < owner.former_epoch and owner.former_epoch < owner.epoch
        and owner.since < ${NOW} - ${TAKEN_OVER_MS}
        order by channel_id limit ${LISTED_MAX}
      `.execute(db);
      return rows.map((row) => ({ channelId: row.channel_id, epoch: Number(row.epoch) }));
    });
  }

  compare(channelIds: readonly ChannelId[]): Promise<readonly ComparedRow[]> {
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("channel_owner")
        .innerJoin("channel", "channel.channel_id", "channel_owner.channel_id")
        .where(sql<boolean>`channel_owner.channel_id = any(${[...channelIds]})`)
        .select(["channel_owner.channel_id", "channel_owner.incarnation", "channel_owner.home", "channel_owner.epoch"])
        .select(["channel.revision", "channel_owner.ended_epoch"])
        .orderBy("channel_owner.channel_id")
        .execute();
      return rows.map(({ revision, ended_epoch: ended, ...row }) => ({
        ...{ ...readOwnership(row), revision: Number(revision) },
        ...(Number(ended) >= Number(row.epoch) ? { isFinished: true } : {}),
      }));
    });
  }
}

function nodeColumns(incarnation: Incarnation, node: NewNode, leaseMs: number) {
  return {
    ...{ incarnation, node_id: node.nodeId, state: "serving", version: node.version, schema_step: node.schemaStep },
    lease_until: sql<number>`${NOW} + ${leaseMs}`,
    advertise: JSON.stringify(node.advertise),
    key_ids: JSON.stringify(node.keyIds),
  };
}

function readOwnership({ channel_id: channelId, incarnation, home, epoch }: OwnerColumns): OwnershipRow {
  const owner = incarnation === null || home === null ? {} : { owner: { incarnation: Number(incarnation), home } };
  return { channelId, epoch: Number(epoch), ...owner };
}
