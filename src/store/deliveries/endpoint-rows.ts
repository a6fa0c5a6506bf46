import type { Kysely, Transaction } from "kysely";
import type { Endpoint, EndpointScope } from "../../control/events/callbacks.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { takeNumber } from "../database/numbers.ts";
import type { EndpointRow } from "../schema/event-schema.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** The scope of the endpoint for all channels without their own. */
export const DEFAULT_SCOPE = "";

function scopeText(scope: EndpointScope): string {
  return scope === "default" ? DEFAULT_SCOPE : scope.channelId;
}

function place(scope: string, column: "url" | "secret") {
  return { table: "webhook_endpoint", column, row: scope };
}

/** Opens the endpoint's secret. No other function does. */
export function openSecret(row: Pick<EndpointRow, "scope" | "secret">, secrets: Secrets): string {
  return secrets.open(row.secret, place(row.scope, "secret"));
}

/** Opens the endpoint's address. No other function does. */
export function openEndpointUrl(row: Pick<EndpointRow, "scope" | "url">, secrets: Secrets): string {
  return secrets.openAgain(row.url, place(row.scope, "url"));
}

/**
 * The endpoint that gets a channel's events: its own, or else the default one, gone or not. Without a channel, the
 * default one.
 */
export async function selectEndpointOf(
  db: Kysely<Schema>,
  channelId: ChannelId | undefined,
): Promise<EndpointRow | undefined> {
  return db
    .selectFrom("webhook_endpoint")
    .where("scope", "in", [channelId ?? DEFAULT_SCOPE, DEFAULT_SCOPE])
    .orderBy("scope", "desc") // Empty text comes first.
    .limit(1)
    .selectAll()
    .executeTakeFirst();
}

export async function selectEndpoint(
  db: Kysely<Schema>,
  secrets: Secrets,
  scope: EndpointScope,
): Promise<Endpoint | undefined> {
  const row = await db
    .selectFrom("webhook_endpoint")
    .where("scope", "=", scopeText(scope))
    .selectAll()
    .executeTakeFirst();
  if (row === undefined) return undefined;
  return {
    url: openEndpointUrl(row, secrets),
    secret: openSecret(row, secrets),
    updateTime: Number(row.update_time),
    ...(row.gone_time === null ? {} : { goneTime: Number(row.gone_time) }),
  };
}

export async function putEndpoint(
  trx: Transaction<Schema>,
  secrets: Secrets,
  scope: EndpointScope,
  { url, secret, updateTime }: Endpoint,
): Promise<void> {
  const text = scopeText(scope);
  const row = {
    url: secrets.seal(url, place(text, "url")),
    secret: secrets.seal(secret, place(text, "secret")),
    revision: await takeNumber(trx, "webhook_endpoint"),
    update_time: updateTime,
    gone_time: null,
  };
  await trx
    .insertInto("webhook_endpoint")
    .values({ scope: text, ...row })
    .onConflict((conflict) => conflict.column("scope").doUpdateSet(row))
    .execute();
}

export async function deleteEndpoint(trx: Transaction<Schema>, scope: EndpointScope): Promise<void> {
  await trx.deleteFrom("webhook_endpoint").where("scope", "=", scopeText(scope)).execute();
}

/** Not if it was set again meanwhile: then another endpoint answered. */
export async function markEndpointGone(trx: Transaction<Schema>, revision: number, time: number): Promise<void> {
  await trx.updateTable("webhook_endpoint").set({ gone_time: time }).where("revision", "=", revision).execute();
}

/** Keeps a deleted channel's endpoint and its secret until its waiting deliveries are sent. */
export async function removeEndpointsOfDeleted(trx: Transaction<Schema>): Promise<void> {
  await trx
    .deleteFrom("webhook_endpoint")
    .where(({ and, not, exists, selectFrom }) =>
      and([
        exists(
          selectFrom("channel")
            .whereRef("channel.channel_id", "=", "webhook_endpoint.scope")
            .where("channel.state", "=", "deleted")
            .select("channel.channel_id"),
        ),
        not(
          exists(
            selectFrom("delivery_queue")
              .whereRef("delivery_queue.channel_id", "=", "webhook_endpoint.scope")
              .select("delivery_queue.channel_id"),
          ),
        ),
      ]),
    )
    .execute();
}
