import { randomUUID } from "node:crypto";
import type { Kysely, Transaction } from "kysely";
import { DELIVERY_STATES, type DeliveryProblem, EVENT_LEVELS, type EventCode } from "../../api-contract/event-words.ts";
import { changesBetween, hiddenSettings, type Settings } from "../../control/audit/field-changes.ts";
import type { Endpoint, EndpointScope, EndpointStore } from "../../control/events/callbacks.ts";
import type {
  Delivery,
  DeliveryLimits,
  DeliveryStore,
  DeliveryTurn,
  DeliveryUpdate,
  DueDelivery,
} from "../../control/events/deliveries.ts";
import type { Page } from "../../control/ports/store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { countRows } from "../database/count-rows.ts";
import type { Database } from "../database/database.ts";
import { oneOf, wordOf } from "../database/one-of.ts";
import type { DeliveryRow, EventRow } from "../schema/event-schema.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import {
  claimQueues,
  isAnyQueueDue,
  isClaimed,
  moveQueue,
  nextLapseMs,
  pickQueues,
  redirectQueues,
} from "./delivery-queues.ts";
import { deliveryUrlPlace, sealDeliveryUrl } from "./delivery-url.ts";
import {
  deleteEndpoint,
  markEndpointGone,
  openEndpointUrl,
  openSecret,
  putEndpoint,
  selectEndpoint,
  selectEndpointOf,
} from "./endpoint-rows.ts";

/**
 * Webhook endpoints and their deliveries. While deliveries of a channel wait it has a queue, which says when the oldest
 * is due. The others stay behind it, so that none overtakes another.
 */
export class SqlDeliveryStore implements DeliveryStore, EndpointStore {
  readonly #database: Database;
  /** By this name other nodes know whose deliveries those are that it sends. */
  readonly #node = randomUUID();

  constructor(database: Database) {
    this.#database = database;
  }

  setEndpoint(scope: EndpointScope, endpoint: Endpoint): Promise<void> {
    return this.#database.write(async (trx) => {
      const before = await selectEndpoint(trx, this.#secrets, scope);
      await putEndpoint(trx, this.#secrets, scope, endpoint);
      await this.#note(trx, scope, before, endpoint);
      await redirectQueues(trx, this.#secrets, scope, endpoint.updateTime);
    });
  }

  removeEndpoint(scope: EndpointScope): Promise<void> {
    return this.#database.write(async (trx) => {
      const before = await selectEndpoint(trx, this.#secrets, scope);
      await deleteEndpoint(trx, scope);
      await this.#note(trx, scope, before, undefined);
      await redirectQueues(trx, this.#secrets, scope, undefined);
    });
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
      const every = db.selectFrom("delivery");
      const counted = channelId === undefined ? every : every.where("channel_id", "=", channelId);
      const total = await countRows(db, counted, page);
      return { deliveries: rows.map((row) => readDelivery(row, this.#secrets)), total };
    });
  }

  resendDelivery(eventId: number, nowMs: number, retryUntil: number): Promise<Delivery | undefined> {
    return this.#database.write(async (trx) => {
      const present = await withEvents(trx).where("delivery.event_id", "=", eventId).executeTakeFirst();
      if (present === undefined) return undefined;
      await trx
        .updateTable("delivery")
        .set((is) => ({
          state: "WAITING",
          attempts: 0,
          retry_until: retryUntil,
          resend_count: is("resend_count", "+", 1),
        }))
        .where("event_id", "=", eventId)
        .execute();
      await moveQueue(trx, this.#secrets, present.channel_id, nowMs);
      const changed = await withEvents(trx).where("delivery.event_id", "=", eventId).executeTakeFirstOrThrow();
      return readDelivery(changed, this.#secrets);
    });
  }

  async claimDueDeliveries(
    nowMs: number,
    limits: DeliveryLimits,
    inFlight: readonly DeliveryTurn[],
  ): Promise<readonly DueDelivery[]> {
    if (!this.#database.isShared) {
      return this.#database.read(async (db) => this.#readTurns(db, await pickQueues(db, nowMs, limits, inFlight)));
    }
    // Every event makes every node look here. Mostly there is nothing: that costs one question, not a transaction.
    if (!(await this.#database.read((db) => isAnyQueueDue(db, nowMs)))) return [];
    return this.#database.write(async (trx) =>
      this.#readTurns(trx, await claimQueues(trx, this.#node, nowMs, limits, inFlight)),
    );
  }

  findNextDueTime(nowMs: number): Promise<number | undefined> {
    return this.#database.read(async (db) => {
      const { next, left } = await db
        .selectNoFrom(({ selectFrom, lit }) => [
          selectFrom("delivery_queue")
            .where("next_time", ">", nowMs)
            .orderBy("next_time")
            .limit(1)
            .select("next_time")
            .as("next"),
          (this.#database.isShared ? nextLapseMs(db, this.#node) : lit(null)).as("left"),
        ])
        .executeTakeFirstOrThrow();
      const times = [
        ...(next === null ? [] : [Number(next)]),
        ...(left === null ? [] : [nowMs + Math.max(0, Number(left))]),
      ];
      return times.length === 0 ? undefined : Math.min(...times);
    });
  }

  updateDelivery(due: DueDelivery, update: DeliveryUpdate, nowMs: number): Promise<void> {
    const { eventId, turn, resendCount, endpoint } = due;
    return this.#database.write(async (trx) => {
      if (this.#database.isShared && !(await isClaimed(trx, this.#node, turn.channelId))) return;
      const { numUpdatedRows } = await trx
        .updateTable("delivery")
        .set({
          state: update.state,
          attempts: update.attempts,
          ...(update.url === undefined ? {} : { url: sealDeliveryUrl(update.url, eventId, this.#secrets) }),
          // A cancelled delivery keeps the result of its last attempt.
          ...(update.state === "CANCELLED"
            ? {}
            : { last_status: update.lastStatus ?? null, last_problem: update.lastProblem ?? null }),
        })
        .where("event_id", "=", eventId)
        .where("resend_count", "=", resendCount)
        .executeTakeFirst();
      if (update.goneRevision !== undefined) await markEndpointGone(trx, update.goneRevision, nowMs);
      // A delivery that was sent again meanwhile, or that has a new address, does not wait.
      const present = await selectEndpointOf(trx, turn.channelId);
      const isSameEndpoint = endpoint === undefined || Number(present?.revision) === endpoint.revision;
      const nextTime = numUpdatedRows > 0n && isSameEndpoint ? update.nextTime : undefined;
      await moveQueue(trx, this.#secrets, turn.channelId, nextTime ?? nowMs, { endsClaim: true });
    });
  }

  async #readTurns(db: Kysely<Schema>, turns: readonly DeliveryTurn[]): Promise<readonly DueDelivery[]> {
    const found: DueDelivery[] = [];
    for (const turn of turns) {
      const first = await selectFirst(db, this.#secrets, turn);
      if (first !== undefined) found.push(first);
    }
    return found;
  }

  async #note(
    trx: Transaction<Schema>,
    scope: EndpointScope,
    before: Endpoint | undefined,
    after: Endpoint | undefined,
  ): Promise<void> {
    const about = scope === "default" ? {} : { channelId: scope.channelId };
    await this.#database.note(trx, { ...about, changes: changesBetween(settingsOf(before), settingsOf(after)) });
  }

  get #secrets(): Secrets {
    return this.#database.secrets;
  }
}

function settingsOf(endpoint: Endpoint | undefined): Settings {
  return hiddenSettings({ callbackEndpoint: endpoint?.url }, { webhookSecret: endpoint?.secret });
}

/** The oldest waiting delivery of a channel, with everything that an attempt needs. */
async function selectFirst(db: Kysely<Schema>, secrets: Secrets, turn: DeliveryTurn): Promise<DueDelivery | undefined> {
  const { channelId } = turn;
  const row = await withEvents(db)
    .where("delivery.state", "=", "WAITING")
    .where("delivery.channel_id", "=", channelId)
    .orderBy("delivery.event_id")
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const endpoint = await selectEndpointOf(db, channelId);
  return {
    eventId: Number(row.event_id),
    channelId,
    code: wordOf<EventCode>(row.code),
    level: oneOf(EVENT_LEVELS, row.level),
    time: Number(row.time),
    description: row.description,
    ...(row.channel_name === null ? {} : { channelName: row.channel_name }),
    ...targetOf(row),
    ...(row.reason === null ? {} : { reason: row.reason }),
    attempts: Number(row.attempts),
    resendCount: Number(row.resend_count),
    retryUntil: Number(row.retry_until),
    turn,
    ...(endpoint === undefined || endpoint.gone_time !== null
      ? {}
      : {
          endpoint: {
            url: openEndpointUrl(endpoint, secrets),
            secret: openSecret(endpoint, secrets),
            revision: Number(endpoint.revision),
          },
        }),
  };
}

function withEvents(db: Kysely<Schema>) {
  return db
    .selectFrom("delivery")
    .innerJoin("event", "event.event_id", "delivery.event_id")
    .leftJoin("delivery_queue", "delivery_queue.channel_id", "delivery.channel_id")
    .leftJoin("channel", "channel.channel_id", "delivery.channel_id")
    .selectAll("delivery")
    .select(["event.code", "event.level", "event.time", "event.description", "event.reason", "event.target_id"])
    .select(["event.target_name", "event.target_label", "channel.name as channel_name", "delivery_queue.next_time"]);
}

type JoinedRow = DeliveryRow &
  Pick<EventRow, "code" | "time" | "target_id" | "target_name" | "target_label"> & {
    readonly next_time: number | null;
  };

/** The target that an event is about, with its names at that time. */
function targetOf(row: Pick<EventRow, "target_id" | "target_name" | "target_label">) {
  return {
    ...(row.target_id === null ? {} : { targetId: Number(row.target_id) }),
    ...(row.target_name === null ? {} : { targetName: row.target_name }),
    ...(row.target_label === null ? {} : { targetLabel: row.target_label }),
  };
}

function readDelivery(row: JoinedRow, secrets: Secrets): Delivery {
  const state = oneOf(DELIVERY_STATES, row.state);
  return {
    eventId: Number(row.event_id),
    channelId: row.channel_id,
    code: wordOf<EventCode>(row.code),
    time: Number(row.time),
    ...targetOf(row),
    state,
    url: secrets.open(row.url, deliveryUrlPlace(row.event_id)),
    attempts: Number(row.attempts),
    ...(row.last_status === null ? {} : { lastStatus: Number(row.last_status) }),
    ...(row.last_problem === null ? {} : { lastProblem: wordOf<DeliveryProblem>(row.last_problem) }),
    ...(state !== "WAITING" || row.next_time === null ? {} : { nextTime: Number(row.next_time) }),
  };
}
