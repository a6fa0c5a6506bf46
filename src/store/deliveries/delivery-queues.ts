import type { Kysely, Transaction } from "kysely";
import type { EndpointScope } from "../../control/events/callbacks.ts";
import { type DeliveryLimits, type DeliveryTurn, PLANNED_AHEAD_MAX_MS } from "../../control/events/deliveries.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { lockQueues } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";
import { openEndpointUrl, selectEndpointOf } from "./endpoint-rows.ts";

/** Host and port of an endpoint's address, as stored with queues. */
export function queueHost(url: string): string {
  return new URL(url).host;
}

/** Sets the queue of a channel to its oldest waiting delivery, due then; removes the queue if nothing waits. */
export async function moveQueue(
  trx: Transaction<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
  nextTime: number,
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
  };
  await trx
    .insertInto("delivery_queue")
    .values({ channel_id: channelId, ...queue })
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
export async function pickQueues(
  db: Kysely<Schema>,
  nowMs: number,
  limits: DeliveryLimits,
  inFlight: readonly DeliveryTurn[],
): Promise<readonly DeliveryTurn[]> {
  const turns = [...inFlight];
  for (const isRetry of [false, true]) {
    for (;;) {
      const room = roomFor(turns, isRetry, limits);
      if (room <= 0) break;
      const queues = await selectQueues(db, nowMs, isRetry, room, turns, fullHosts(turns, limits));
      for (const { channel_id: channelId, host } of queues) {
        if (countTo(turns, host) < limits.perHostMax) turns.push({ channelId, host, isRetry });
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
    .where(({ or, eb }) => or([eb("next_time", "<=", nowMs), eb("next_time", ">", nowMs + PLANNED_AHEAD_MAX_MS)]));
  if (turns.length > 0) {
    const busy = turns.map(({ channelId }) => channelId);
    queues = queues.where("channel_id", "not in", busy);
  }
  if (hosts.length > 0) queues = queues.where("host", "not in", hosts);
  return queues.orderBy("next_time").limit(limit).select(["channel_id", "host"]).execute();
}

function roomFor(turns: readonly DeliveryTurn[], isRetry: boolean, limits: DeliveryLimits): number {
  const room = limits.inFlightMax - turns.length;
  if (!isRetry) return room;
  return Math.min(room, limits.retriesMax - turns.filter((turn) => turn.isRetry).length);
}

function countTo(turns: readonly DeliveryTurn[], host: string): number {
  return turns.filter((turn) => turn.host === host).length;
}

function fullHosts(turns: readonly DeliveryTurn[], { perHostMax }: DeliveryLimits): readonly string[] {
  const hosts = new Set(turns.map(({ host }) => host));
  return [...hosts].filter((host) => countTo(turns, host) >= perHostMax);
}

/** The host of a channel's endpoint, or of the default one; empty where there is none. */
async function hostOf(db: Kysely<Schema>, secrets: Secrets, channelId: ChannelId | undefined): Promise<string> {
  const endpoint = await selectEndpointOf(db, channelId);
  return endpoint === undefined ? "" : queueHost(openEndpointUrl(endpoint, secrets));
}
