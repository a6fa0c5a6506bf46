import { PostgresAdapter, type QueryExecutorProvider, sql, type Transaction } from "kysely";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { Schema } from "../schema/schema.ts";

/** Decisions that two transactions must not make at once although no row stands for them. */
type NamedLock = "ingest-login" | "first-manager-key" | "set-up-link" | "contacts" | "numbers";

/**
 * Whether writing transactions run side by side, each statement seeing what was committed when it began: PostgreSQL.
 * SQLite's run one after another, so locks within them would have no effect.
 */
export function writesSideBySide(db: QueryExecutorProvider): boolean {
  return db.getExecutor().adapter instanceof PostgresAdapter;
}

/**
 * Locks a channel's row until the transaction ends. Call it before the channel is read to be changed. Locks are taken in
 * the order channel, targets, all else, so that two transactions do not wait for each other.
 */
export async function lockChannel(trx: Transaction<Schema>, channelId: ChannelId): Promise<void> {
  if (!writesSideBySide(trx)) return;
  await trx.selectFrom("channel").where("channel_id", "=", channelId).select("channel_id").forUpdate().execute();
}

/** Locks every manager's key: which one is the last can only be decided while none is deleted. */
export async function lockManagerKeys(trx: Transaction<Schema>): Promise<void> {
  if (!writesSideBySide(trx)) return;
  const managers = trx.selectFrom("access_key").where("role", "=", "manager").orderBy("access_key_id");
  await managers.select("access_key_id").forUpdate().execute();
}

/** Locks the dashboard's password against a change; other transactions may share this lock. */
export async function sharePassword(trx: Transaction<Schema>): Promise<void> {
  if (!writesSideBySide(trx)) return;
  await trx.selectFrom("dashboard_password").select("id").forShare().execute();
}

/** Locks the delivery queue of these channels, where there is one. */
export async function lockQueues(trx: Transaction<Schema>, channelIds: readonly ChannelId[]): Promise<void> {
  if (!writesSideBySide(trx) || channelIds.length === 0) return;
  const queues = trx
    .selectFrom("delivery_queue")
    .where("channel_id", "in", [...channelIds])
    .orderBy("channel_id");
  await queues.select("channel_id").forUpdate().execute();
}

/** Locks the webhook endpoints of these scopes against a change; other transactions may share this lock. */
export async function shareEndpoints(trx: Transaction<Schema>, scopes: readonly string[]): Promise<void> {
  if (!writesSideBySide(trx)) return;
  const endpoints = trx
    .selectFrom("webhook_endpoint")
    .where("scope", "in", [...scopes])
    .orderBy("scope");
  await endpoints.select("scope").forShare().execute();
}

/** Locks a contact's row until the transaction ends. Call it before the contact is read to be changed. */
export async function lockContact(trx: Transaction<Schema>, contactId: string): Promise<void> {
  if (!writesSideBySide(trx)) return;
  await trx.selectFrom("contact").where("contact_id", "=", contactId).select("contact_id").forUpdate().execute();
}

/** Locks something that has no row, until the transaction ends. */
export async function lockName(trx: Transaction<Schema>, name: NamedLock): Promise<void> {
  if (!writesSideBySide(trx)) return;
  await sql`select pg_advisory_xact_lock(hashtextextended(${`fanfare ${name}`}, 0))`.execute(trx);
}
