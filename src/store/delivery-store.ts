import type { Kysely, Transaction } from "kysely";
import type { Endpoint, EndpointScope, EndpointStore } from "../control/callbacks.ts";
import {
  DELIVERY_PROBLEMS,
  DELIVERY_STATES,
  type Delivery,
  type DeliveryStore,
  type DeliveryUpdate,
  type DueDelivery,
} from "../control/deliveries.ts";
import { EVENT_CODES, EVENT_LEVELS } from "../control/events.ts";
import type { Page } from "../control/store.ts";
import type { ChannelId } from "../exchange/channel-spec.ts";
import type { Database } from "./database.ts";
import {
  deleteEndpoint,
  markEndpointGone,
  openSecret,
  putEndpoint,
  selectEndpoint,
  selectEndpointOf,
} from "./endpoint-rows.ts";
import type { DeliveryRow, EventRow } from "./event-schema.ts";
import { oneOf } from "./rows.ts";
import type { Schema } from "./schema.ts";
import type { Secrets } from "./secrets.ts";

/**
 * Webhook endpoints and what goes to them. While deliveries of a channel wait there is a lane for it, which says when the
 * oldest is due; the others stand behind it, so that none overtakes another.
 */
export class SqlDeliveryStore implements DeliveryStore, EndpointStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  setEndpoint(scope: EndpointScope, endpoint: Endpoint): Promise<void> {
    return this.#database.write((trx) => putEndpoint(trx, this.#secrets, scope, endpoint));
  }

  removeEndpoint(scope: EndpointScope): Promise<void> {
    return this.#database.write((trx) => deleteEndpoint(trx, scope));
  }

  findEndpoint(scope: EndpointScope): Promise<Endpoint | undefined> {
    return this.#database.read((db) => selectEndpoint(db, this.#secrets, scope));
  }

  listDeliveries(
    filter: { readonly channelId?: ChannelId },
    page: Page,
  ): Promise<{ readonly deliveries: readonly Delivery[]; readonly total: number }> {
    const { channelId } = filter;
    return this.#database.read(async (db) => {
      const all = withEvents(db);
      const rows = await (channelId === undefined ? all : all.where("delivery.channel_id", "=", channelId))
        .orderBy("delivery.event_id", "desc")
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      const count = db.selectFrom("delivery").select(({ fn }) => fn.countAll<number>().as("total"));
      const counted = await (channelId === undefined
        ? count
        : count.where("channel_id", "=", channelId)
      ).executeTakeFirstOrThrow();
      return { deliveries: rows.map(readDelivery), total: Number(counted.total) };
    });
  }

  resendDelivery(eventId: number, nowMs: number, retryUntil: number): Promise<Delivery | undefined> {
    return this.#database.write(async (trx) => {
      const present = await withEvents(trx).where("delivery.event_id", "=", eventId).executeTakeFirst();
      if (present === undefined) return undefined;
      await trx
        .updateTable("delivery")
        .set({ state: "waiting", attempts: 0, retry_until: retryUntil })
        .where("event_id", "=", eventId)
        .execute();
      await putLane(trx, present.channel_id, nowMs);
      return readDelivery(await withEvents(trx).where("delivery.event_id", "=", eventId).executeTakeFirstOrThrow());
    });
  }

  findDueDeliveries(nowMs: number, limit: number, except: readonly ChannelId[]): Promise<readonly DueDelivery[]> {
    return this.#database.read(async (db) => {
      const lanes = db.selectFrom("delivery_lane").where("next_time", "<=", nowMs);
      const due = await (except.length === 0 ? lanes : lanes.where("channel_id", "not in", except))
        .orderBy("next_time")
        .limit(limit)
        .select("channel_id")
        .execute();
      const found: DueDelivery[] = [];
      for (const { channel_id: channelId } of due) {
        const first = await selectFirst(db, this.#secrets, channelId);
        if (first !== undefined) found.push(first);
      }
      return found;
    });
  }

  findNextDueTime(except: readonly ChannelId[]): Promise<number | undefined> {
    return this.#database.read(async (db) => {
      const lanes = db.selectFrom("delivery_lane");
      const next = await (except.length === 0 ? lanes : lanes.where("channel_id", "not in", except))
        .orderBy("next_time")
        .limit(1)
        .select("next_time")
        .executeTakeFirst();
      return next === undefined ? undefined : Number(next.next_time);
    });
  }

  updateDelivery({ eventId, channelId }: DueDelivery, update: DeliveryUpdate, nowMs: number): Promise<void> {
    return this.#database.write(async (trx) => {
      await trx
        .updateTable("delivery")
        .set({
          state: update.state,
          attempts: update.attempts,
          ...(update.url === undefined ? {} : { url: update.url }),
          // A delivery that was never tried again keeps what its last attempt came to.
          ...(update.state === "cancelled"
            ? {}
            : { last_status: update.lastStatus ?? null, last_problem: update.lastProblem ?? null }),
        })
        .where("event_id", "=", eventId)
        .execute();
      if (update.goneRevision !== undefined) await markEndpointGone(trx, update.goneRevision, nowMs);
      await moveLane(trx, channelId, update.nextTime ?? nowMs);
    });
  }

  get #secrets(): Secrets {
    return this.#database.secrets;
  }
}

/** The oldest waiting delivery of a channel, with what an attempt takes. */
async function selectFirst(
  db: Kysely<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
): Promise<DueDelivery | undefined> {
  const row = await withEvents(db)
    .where("delivery.state", "=", "waiting")
    .where("delivery.channel_id", "=", channelId)
    .orderBy("delivery.event_id")
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const endpoint = await selectEndpointOf(db, channelId);
  return {
    eventId: Number(row.event_id),
    channelId,
    code: oneOf(EVENT_CODES, row.code),
    level: oneOf(EVENT_LEVELS, row.level),
    time: Number(row.time),
    attempts: Number(row.attempts),
    retryUntil: Number(row.retry_until),
    ...(endpoint === undefined || endpoint.gone_time !== null
      ? {}
      : {
          endpoint: { url: endpoint.url, secret: openSecret(endpoint, secrets), revision: Number(endpoint.revision) },
        }),
  };
}

function withEvents(db: Kysely<Schema>) {
  return db
    .selectFrom("delivery")
    .innerJoin("event", "event.event_id", "delivery.event_id")
    .leftJoin("delivery_lane", "delivery_lane.channel_id", "delivery.channel_id")
    .selectAll("delivery")
    .select(["event.code", "event.level", "event.time", "delivery_lane.next_time"]);
}

async function putLane(trx: Transaction<Schema>, channelId: ChannelId, nextTime: number): Promise<void> {
  await trx
    .insertInto("delivery_lane")
    .values({ channel_id: channelId, next_time: nextTime })
    .onConflict((conflict) => conflict.column("channel_id").doUpdateSet({ next_time: nextTime }))
    .execute();
}

/** Takes the lane away where nothing waits any more. */
async function moveLane(trx: Transaction<Schema>, channelId: ChannelId, nextTime: number): Promise<void> {
  const waiting = await trx
    .selectFrom("delivery")
    .where("state", "=", "waiting")
    .where("channel_id", "=", channelId)
    .limit(1)
    .select("event_id")
    .executeTakeFirst();
  if (waiting === undefined) await trx.deleteFrom("delivery_lane").where("channel_id", "=", channelId).execute();
  else await putLane(trx, channelId, nextTime);
}

type JoinedRow = DeliveryRow & Pick<EventRow, "code" | "time"> & { readonly next_time: number | null };

function readDelivery(row: JoinedRow): Delivery {
  const state = oneOf(DELIVERY_STATES, row.state);
  return {
    eventId: Number(row.event_id),
    channelId: row.channel_id,
    code: oneOf(EVENT_CODES, row.code),
    time: Number(row.time),
    state,
    url: row.url,
    attempts: Number(row.attempts),
    ...(row.last_status === null ? {} : { lastStatus: Number(row.last_status) }),
    ...(row.last_problem === null ? {} : { lastProblem: oneOf(DELIVERY_PROBLEMS, row.last_problem) }),
    ...(state !== "waiting" || row.next_time === null ? {} : { nextTime: Number(row.next_time) }),
  };
}
