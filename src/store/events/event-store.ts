import type { SelectQueryBuilder, Transaction } from "kysely";
import { EVENT_LEVELS, type EventCode, type EventReason } from "../../api-contract/event-words.ts";
import { RETRY_FOR_MS } from "../../control/events/deliveries.ts";
import type {
  ChannelEvent,
  EventFilter,
  EventOwnership,
  EventStore,
  EventSubject,
  NewEvent,
} from "../../control/events/events.ts";
import type { Page } from "../../control/ports/store.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ConnectStatus } from "../../thread-protocol/targets/target-status.ts";
import { readAlerts, readTargetName } from "../channels/rows.ts";
import { countRows } from "../database/count-rows.ts";
import type { Database } from "../database/database.ts";
import { finishOwnership, ownershipEnd, reviveOwnership } from "../database/finished-epochs.ts";
import { lockQueues, shareEndpoints } from "../database/locks.ts";
import { takeNumber, takeNumbers } from "../database/numbers.ts";
import { oneOf, wordOf } from "../database/one-of.ts";
import { addNotices } from "../deliveries/contact-notices.ts";
import { queueHost } from "../deliveries/delivery-queues.ts";
import { sealDeliveryUrl } from "../deliveries/delivery-url.ts";
import {
  DEFAULT_SCOPE,
  openEndpointUrl,
  removeEndpointsOfDeleted,
  selectEndpointOf,
} from "../deliveries/endpoint-rows.ts";
import { endReports, pruneReports } from "../reports/report-store.ts";
import type { EventRow } from "../schema/event-schema.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

const STATUSES: readonly ConnectStatus[] = ["READY", "CONNECTING", "PUBLISHING", "FAIL"];

/** Events, with the deliveries they cause. */
export class SqlEventStore implements EventStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  readonly #dueTime = (time: number): number => this.#database.dueTime(time);

  findEventSubjects(channelIds: readonly ChannelId[]): Promise<readonly EventSubject[]> {
    return this.#database.read(async (db) => {
      if (channelIds.length === 0) return [];
      const rows = await db.selectFrom("channel").where("channel_id", "in", channelIds).selectAll().execute();
      const targets = await db
        .selectFrom("target")
        .where("channel_id", "in", channelIds)
        .select(["channel_id", "target_id", "target_name", "label"])
        .execute();
      return rows.map((row): EventSubject => {
        const own = targets.filter(({ channel_id }) => channel_id === row.channel_id);
        const names = own.map((target) => [Number(target.target_id), readTargetName(target)] as const);
        return { channelId: row.channel_id, name: row.name, alerts: readAlerts(row), targets: new Map(names) };
      });
    });
  }

  appendEvents(events: readonly NewEvent[]): Promise<readonly ChannelEvent[]> {
    return this.#database.write(async (trx) => {
      const stored: ChannelEvent[] = [];
      const counted: NewEvent[] = [];
      for (const event of events) {
        const end = await ownershipEnd(trx, event.channelId, event.ownership?.epoch);
        if (end === "given-up") stored.push(...(await this.#goOn(trx, event)));
        if (end !== "finished") counted.push(event);
      }
      const eventIds = await takeNumbers(trx, "event", counted.length);
      for (const [index, event] of counted.entries()) {
        const eventId = eventIds[index];
        if (eventId === undefined) throw new Error("an event without a number");
        const one = await this.#append(trx, event, eventId);
        if (one !== undefined) stored.push(one);
      }
      await addNotices(trx, stored, this.#dueTime);
      return stored;
    });
  }

  finishBroadcasts(
    channelId: ChannelId,
    epoch: number,
    compose: (lastTime: number) => NewEvent,
  ): Promise<ChannelEvent | undefined> {
    return this.#database.write(async (trx) => {
      if (!(await finishOwnership(trx, channelId, epoch))) return undefined;
      const reportedTime = await endReports(trx, channelId, epoch);
      const [last] = await lastEvents(trx, channelId, epoch, ["PUBLISH_START", "PUBLISH_END"]);
      if (last?.code !== "PUBLISH_START") return undefined;
      const lastTime = Math.max(Number(last.time), reportedTime ?? 0);
      const stored = await this.#append(trx, compose(lastTime), await takeNumber(trx, "event"));
      if (stored !== undefined) await addNotices(trx, [stored], this.#dueTime);
      return stored;
    });
  }

  moveBroadcast(channelId: ChannelId, epoch: number, event: NewEvent): Promise<ChannelEvent | undefined> {
    return this.#database.write(async (trx) => {
      if (!(await finishOwnership(trx, channelId, epoch))) return undefined;
      const stored = await this.#append(trx, event, await takeNumber(trx, "event"));
      if (stored !== undefined) await addNotices(trx, [stored], this.#dueTime);
      return stored;
    });
  }

  goOnWithBroadcast(channelId: ChannelId, epoch: number, time: number): Promise<ChannelEvent | undefined> {
    return this.#database.write(async (trx) => {
      const stored = await this.#revive(trx, channelId, epoch, time);
      if (stored !== undefined) await addNotices(trx, [stored], this.#dueTime);
      return stored;
    });
  }

  /** What the owner writes of an ownership that others gave up: a broadcast that they ended begins anew first. */
  async #goOn(
    trx: Transaction<Schema>,
    { channelId, code, time, ownership }: NewEvent,
  ): Promise<readonly ChannelEvent[]> {
    if (ownership === undefined) return [];
    const { epoch } = ownership;
    // One that is stored, and whose owner was not told so, begins the broadcast that was ended.
    if (code === "PUBLISH_START" && !(await isStored(trx, channelId, ownership))) {
      await reviveOwnership(trx, channelId, epoch);
      return [];
    }
    const begun = await this.#revive(trx, channelId, epoch, time);
    return begun === undefined ? [] : [begun];
  }

  async #revive(
    trx: Transaction<Schema>,
    channelId: ChannelId,
    epoch: number,
    time: number,
  ): Promise<ChannelEvent | undefined> {
    if (!(await reviveOwnership(trx, channelId, epoch))) return undefined;
    const [last, before] = await lastEvents(trx, channelId, epoch, ["PUBLISH_START", "BROADCAST_MOVED", "PUBLISH_END"]);
    const isGivenUp = last?.code === "PUBLISH_END" && last.reason === "server-lost" && last.epoch === null;
    // One of an owner before was lost by right.
    const isOwn = before !== undefined && (before.epoch === null || Number(before.epoch) === epoch);
    const [begun] = isGivenUp && isOwn ? await lastEvents(trx, channelId, epoch, ["PUBLISH_START"]) : [];
    if (begun === undefined) return undefined;
    const { eventId, ...event } = readEvent(begun);
    const isForWebhook = await hasDelivery(trx, eventId);
    const beginTime = Math.max(time, Number(last?.time));
    return await this.#append(trx, { ...event, time: beginTime, isForWebhook }, await takeNumber(trx, "event"));
  }

  /** Returns the event as stored; undefined where its owner has stored it before. */
  async #append(
    trx: Transaction<Schema>,
    { isForWebhook, ownership, ...body }: NewEvent,
    eventId: number,
  ): Promise<ChannelEvent | undefined> {
    const event = { ...body, eventId };
    if (!(await insertEvent(trx, event, ownership))) return undefined;
    if (isForWebhook) await insertDelivery(trx, this.#database.secrets, event, this.#dueTime(event.time));
    return event;
  }

  listEvents(
    filter: EventFilter,
    page: Page,
  ): Promise<{ readonly events: readonly ChannelEvent[]; readonly total: number }> {
    return this.#database.read(async (db) => {
      const rows = await filtered(db.selectFrom("event"), filter)
        .selectAll()
        .orderBy("event_id", "desc")
        .limit(page.size)
        .offset((page.number - 1) * page.size)
        .execute();
      const total = await countRows(db, filtered(db.selectFrom("event"), filter), page);
      return { events: rows.map(readEvent), total };
    });
  }

  pruneEvents(time: number, limit: number): Promise<number> {
    return this.#database.write(async (trx) => {
      await removeEndpointsOfDeleted(trx);
      await pruneReports(trx, time, limit);
      const old = await trx
        .selectFrom("event")
        .where("time", "<", time)
        .orderBy("time")
        .limit(limit)
        .select(["event_id", "channel_id"])
        .execute();
      const eventIds = old.map((row) => row.event_id);
      if (eventIds.length === 0) return 0;
      await trx.deleteFrom("delivery").where("event_id", "in", eventIds).execute();
      await trx.deleteFrom("event").where("event_id", "in", eventIds).execute();
      const channelIds = [...new Set(old.map((row) => row.channel_id))];
      await lockQueues(trx, channelIds);
      // Each queue points to a waiting delivery, or is removed.
      await trx
        .deleteFrom("delivery_queue")
        .where("channel_id", "in", channelIds)
        .where(({ not, exists, selectFrom }) =>
          not(
            exists(
              selectFrom("delivery")
                .where("state", "=", "WAITING")
                .whereRef("delivery.channel_id", "=", "delivery_queue.channel_id")
                .select("event_id"),
            ),
          ),
        )
        .execute();
      return eventIds.length;
    });
  }
}

function filtered<Row>(query: SelectQueryBuilder<Schema, "event", Row>, { channelId, codes, from, to }: EventFilter) {
  let narrowed = query;
  narrowed =
    channelId === undefined ? narrowed.where("channel_id", "!=", SERVER) : narrowed.where("channel_id", "=", channelId);
  if (from !== undefined) narrowed = narrowed.where("time", ">=", from);
  if (to !== undefined) narrowed = narrowed.where("time", "<=", to);
  if (codes !== undefined) narrowed = narrowed.where("code", "in", codes);
  return narrowed;
}

/** The channel's last two events of these, up to this ownership; the latest first. */
function lastEvents(trx: Transaction<Schema>, channelId: ChannelId, epoch: number, codes: readonly EventCode[]) {
  return trx
    .selectFrom("event")
    .where("channel_id", "=", channelId)
    .where("code", "in", codes)
    .where(({ or, eb }) => or([eb("epoch", "is", null), eb("epoch", "<=", epoch)]))
    .orderBy("event_id", "desc")
    .limit(2)
    .selectAll()
    .execute();
}

async function hasDelivery(trx: Transaction<Schema>, eventId: number): Promise<boolean> {
  const row = await trx.selectFrom("delivery").where("event_id", "=", eventId).select("event_id").executeTakeFirst();
  return row !== undefined;
}

async function isStored(
  trx: Transaction<Schema>,
  channelId: ChannelId,
  { epoch, seq }: EventOwnership,
): Promise<boolean> {
  const row = await trx
    .selectFrom("event")
    .where("channel_id", "=", channelId)
    .where("epoch", "=", epoch)
    .where("seq", "=", seq)
    .select("event_id")
    .executeTakeFirst();
  return row !== undefined;
}

/** False where its owner has stored it before. */
async function insertEvent(
  trx: Transaction<Schema>,
  event: ChannelEvent,
  ownership: EventOwnership | undefined,
): Promise<boolean> {
  const { numInsertedOrUpdatedRows } = await trx
    .insertInto("event")
    .values({
      event_id: event.eventId,
      channel_id: event.channelId,
      code: event.code,
      level: event.level,
      time: event.time,
      description: event.description,
      target_id: event.targetId ?? null,
      target_name: event.targetName ?? null,
      target_label: event.targetLabel ?? null,
      from_status: event.from ?? null,
      to_status: event.to ?? null,
      reason: event.reason ?? null,
      changed_by: event.by ?? null,
      remote_address: event.remoteAddress ?? null,
      epoch: ownership?.epoch ?? null,
      seq: ownership?.seq ?? null,
    })
    .onConflict((conflict) =>
      conflict.columns(["channel_id", "epoch", "seq"]).where("epoch", "is not", null).doNothing(),
    )
    .executeTakeFirst();
  return numInsertedOrUpdatedRows === 1n;
}

/** No channel's: a change of the server as a whole. Its webhook is the default one. */
const SERVER = "";

/** Stores what happened to the server as a whole, with its delivery. It is in no list of channels' events. */
export async function appendServerEvent(
  trx: Transaction<Schema>,
  database: Pick<Database, "secrets" | "dueTime">,
  { time, description, by }: Pick<ChannelEvent, "time" | "description" | "by">,
): Promise<void> {
  const body = { channelId: SERVER, code: "SERVER_CHANGED", level: "INFO", time, description } as const;
  const event = { ...body, ...(by === undefined ? {} : { by }), eventId: await takeNumber(trx, "event") };
  await insertEvent(trx, event, undefined);
  await insertDelivery(trx, database.secrets, event, database.dueTime(time));
}

/** Queues the event behind the channel's waiting deliveries, if it has an endpoint. */
async function insertDelivery(
  trx: Transaction<Schema>,
  secrets: Secrets,
  event: ChannelEvent,
  dueTime: number,
): Promise<void> {
  await shareEndpoints(trx, [event.channelId, DEFAULT_SCOPE]);
  const endpoint = await selectEndpointOf(trx, event.channelId);
  if (endpoint === undefined || endpoint.gone_time !== null) return;
  const url = openEndpointUrl(endpoint, secrets);
  await trx
    .insertInto("delivery")
    .values({
      event_id: event.eventId,
      channel_id: event.channelId,
      state: "WAITING",
      url: sealDeliveryUrl(url, event.eventId, secrets),
      attempts: 0,
      last_status: null,
      last_problem: null,
      retry_until: dueTime + RETRY_FOR_MS,
      resend_count: 0,
    })
    .execute();
  await trx
    .insertInto("delivery_queue")
    .values({
      ...{ channel_id: event.channelId, next_time: dueTime, host: queueHost(url), is_retry: 0 },
      ...{ claimed_by: null, claim_until: null },
    })
    // Changes nothing, and holds a queue that is there: another transaction may be about to remove it as empty.
    .onConflict((conflict) => conflict.column("channel_id").doUpdateSet({ channel_id: event.channelId }))
    .execute();
}

function readEvent(row: EventRow): ChannelEvent {
  return {
    eventId: Number(row.event_id),
    channelId: row.channel_id,
    code: wordOf<EventCode>(row.code),
    level: oneOf(EVENT_LEVELS, row.level),
    time: Number(row.time),
    description: row.description,
    ...(row.target_id === null ? {} : { targetId: Number(row.target_id) }),
    ...(row.target_name === null ? {} : { targetName: row.target_name }),
    ...(row.target_label === null ? {} : { targetLabel: row.target_label }),
    ...(row.from_status === null ? {} : { from: oneOf(STATUSES, row.from_status) }),
    ...(row.to_status === null ? {} : { to: oneOf(STATUSES, row.to_status) }),
    ...(row.reason === null ? {} : { reason: wordOf<EventReason>(row.reason) }),
    ...(row.changed_by === null ? {} : { by: row.changed_by }),
    ...(row.remote_address === null ? {} : { remoteAddress: row.remote_address }),
  };
}
