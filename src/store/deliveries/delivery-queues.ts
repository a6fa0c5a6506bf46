import { type ExpressionBuilder, type Kysely, sql, type Transaction } from "kysely";
import type { EndpointScope } from "../../control/events/callbacks.ts";
import { type DeliveryLimits, type DeliveryTurn, PLANNED_AHEAD_MAX_MS } from "../../control/events/deliveries.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { DATABASE_NOW } from "../database/database-time.ts";
import { lockQueues } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { openEndpointUrl, selectEndpointOf } from "./endpoint-rows.ts";

const UNCLAIMED = { claimed_by: null, claim_until: null };
/** How long a node alone may send a delivery, in milliseconds: an attempt takes 10 s at most. */
const CLAIM_MS = 30_000;

/** Host and port of an endpoint's address, as stored with queues. */
export function queueHost(url: string): string {
  return new URL(url).host;
}

/**
 * Sets the queue of a channel to its oldest waiting delivery, due then; removes the queue if nothing waits. A claim of the
 * queue stays, unless this ends it.
 */
export async function moveQueue(
  trx: Transaction<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
  nextTime: number,
  { endsClaim = false } = {},
): Promise<void> {
  await lockQueues(trx, [channelId]);
  const first = await trx
    .selectFrom("delivery")
    .where("state", "=", "WAITING")
    .where("channel_id", "=", channelId)
    .orderBy("event_id")
    .limit(1)
    .select("attempts")
    .executeTakeFirst();
  if (first === undefined) {
    await trx.deleteFrom("delivery_queue").where("channel_id", "=", channelId).execute();
    return;
  }
  const queue = {
    next_time: nextTime,
    host: await hostOf(trx, secrets, channelId),
    is_retry: Number(first.attempts) > 0 ? 1 : 0,
    ...(endsClaim ? UNCLAIMED : {}),
  };
  await trx
    .insertInto("delivery_queue")
    .values({ channel_id: channelId, ...UNCLAIMED, ...queue })
    .onConflict((conflict) => conflict.column("channel_id").doUpdateSet(queue))
    .execute();
}

/**
 * Points the queues of an endpoint that was set or removed to its new address. With a time, they are due then as if
 * they had never been tried: deliveries that wait for another attempt at a possibly wrong address go now.
 */
export async function redirectQueues(
  trx: Transaction<Schema>,
  secrets: Secrets,
  scope: EndpointScope,
  dueTime: number | undefined,
): Promise<void> {
  const host = await hostOf(trx, secrets, scope === "default" ? undefined : scope.channelId);
  const queues = trx
    .updateTable("delivery_queue")
    .set({ host, ...(dueTime === undefined ? {} : { next_time: dueTime, is_retry: 0 }) });
  if (scope !== "default") {
    await queues.where("channel_id", "=", scope.channelId).execute();
    return;
  }
  await queues
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("webhook_endpoint")
            .whereRef("webhook_endpoint.scope", "=", "delivery_queue.channel_id")
            .select("webhook_endpoint.scope"),
        ),
      ),
    )
    .execute();
}

/** The queues that are next, beside what is under way: those that were never tried first, then the longest due. */
export function pickQueues(
  db: Kysely<Schema>,
  nowMs: number,
  limits: DeliveryLimits,
  inFlight: readonly DeliveryTurn[],
): Promise<readonly DeliveryTurn[]> {
  return pick(limits, inFlight, [], (...asked) => selectQueues(db, nowMs, ...asked).execute());
}

/** The same where several nodes share the database: the picked queues are this node's, until it updates their delivery. */
export async function claimQueues(
  trx: Transaction<Schema>,
  node: string,
  nowMs: number,
  limits: DeliveryLimits,
  inFlight: readonly DeliveryTurn[],
): Promise<readonly DeliveryTurn[]> {
  const others = await trx
    .selectFrom("delivery_queue")
    .where("claim_until", ">", DATABASE_NOW)
    .where("claimed_by", "!=", node)
    .select("host")
    .execute();
  const hosts = others.map(({ host }) => host);
  const turns = await pick(limits, inFlight, hosts, (...asked) =>
    selectQueues(trx, nowMs, ...asked)
      // What this node has claimed and does not have in flight it has given up.
      .where(({ or, eb }) =>
        or([eb("claim_until", "is", null), eb("claim_until", "<=", DATABASE_NOW), eb("claimed_by", "=", node)]),
      )
      .forUpdate()
      // What another node takes at this moment is not waited for.
      .skipLocked()
      .execute(),
  );
  if (turns.length === 0) return turns;
  const channelIds = turns.map(({ channelId }) => channelId);
  await trx
    .updateTable("delivery_queue")
    .set({ claimed_by: node, claim_until: sql<number>`${DATABASE_NOW} + ${CLAIM_MS}` })
    .where("channel_id", "in", channelIds)
    .execute();
  return turns;
}

/** Whether the channel's delivery is still this node's to send. Locks the queue. */
export async function isClaimed(trx: Transaction<Schema>, node: string, channelId: ChannelId): Promise<boolean> {
  await lockQueues(trx, [channelId]);
  const queue = await trx
    .selectFrom("delivery_queue")
    .where("channel_id", "=", channelId)
    .select("claimed_by")
    .executeTakeFirst();
  return queue?.claimed_by === node;
}

/** A query for the milliseconds until the first claim of another node ends; null where there is none. */
export function nextLapseMs(db: Kysely<Schema>, node: string) {
  return db
    .selectFrom("delivery_queue")
    .where("claimed_by", "!=", node)
    .select(({ fn }) => sql<number | null>`${fn.min("claim_until")} - ${DATABASE_NOW}`.as("left"));
}

/** Whether anything is to be sent now, by this server or another one. */
export async function isAnyQueueDue(db: Kysely<Schema>, nowMs: number): Promise<boolean> {
  const due = await db
    .selectFrom("delivery_queue")
    .where(isDue(nowMs))
    .limit(1)
    .select("channel_id")
    .executeTakeFirst();
  return due !== undefined;
}

type QueueRow = { readonly channel_id: string; readonly host: string };
type SelectQueues = (
  isRetry: boolean,
  limit: number,
  turns: readonly DeliveryTurn[],
  hosts: readonly string[],
) => Promise<readonly QueueRow[]>;

/** `others`: the hosts of what other nodes have under way, one entry for each delivery. */
async function pick(
  limits: DeliveryLimits,
  inFlight: readonly DeliveryTurn[],
  others: readonly string[],
  select: SelectQueues,
): Promise<readonly DeliveryTurn[]> {
  const turns = [...inFlight];
  const hosts = () => [...others, ...turns.map(({ host }) => host)];
  for (const isRetry of [false, true]) {
    for (;;) {
      const room = roomFor(turns, isRetry, limits);
      if (room <= 0) break;
      const queues = await select(isRetry, room, turns, fullHosts(hosts(), limits));
      for (const { channel_id: channelId, host } of queues) {
        if (countTo(hosts(), host) < limits.perHostMax) turns.push({ channelId, host, isRetry });
      }
      // Otherwise a host has reached its limit, and queues of other hosts may follow.
      if (queues.length < room) break;
    }
  }
  return turns.slice(inFlight.length);
}

function selectQueues(
  db: Kysely<Schema>,
  nowMs: number,
  isRetry: boolean,
  limit: number,
  turns: readonly DeliveryTurn[],
  hosts: readonly string[],
) {
  let queues = db
    .selectFrom("delivery_queue")
    .where("is_retry", "=", isRetry ? 1 : 0)
    .where(isDue(nowMs));
  if (turns.length > 0) {
    const busy = turns.map(({ channelId }) => channelId);
    queues = queues.where("channel_id", "not in", busy);
  }
  if (hosts.length > 0) queues = queues.where("host", "not in", hosts);
  return queues.orderBy("next_time").limit(limit).select(["channel_id", "host"]);
}

/** A queue that is planned for a far future was planned by a clock that has been set back. */
function isDue(nowMs: number) {
  return ({ or, eb }: ExpressionBuilder<Schema, "delivery_queue">) =>
    or([eb("next_time", "<=", nowMs), eb("next_time", ">", nowMs + PLANNED_AHEAD_MAX_MS)]);
}

function roomFor(turns: readonly DeliveryTurn[], isRetry: boolean, limits: DeliveryLimits): number {
  const room = limits.inFlightMax - turns.length;
  if (!isRetry) return room;
  return Math.min(room, limits.retriesMax - turns.filter((turn) => turn.isRetry).length);
}

function countTo(hosts: readonly string[], host: string): number {
  return hosts.filter((each) => each === host).length;
}

function fullHosts(hosts: readonly string[], { perHostMax }: DeliveryLimits): readonly string[] {
  return [...new Set(hosts)].filter((host) => countTo(hosts, host) >= perHostMax);
}

/** The host of a channel's endpoint, or of the default one; empty where there is none. */
async function hostOf(db: Kysely<Schema>, secrets: Secrets, channelId: ChannelId | undefined): Promise<string> {
  const endpoint = await selectEndpointOf(db, channelId);
  return endpoint === undefined ? "" : queueHost(openEndpointUrl(endpoint, secrets));
}
