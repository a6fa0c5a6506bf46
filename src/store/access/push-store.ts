import { createHash } from "node:crypto";
import type { Kysely, Selectable, Transaction } from "kysely";
import { ALERT_SCOPES, ALERT_SEVERITIES } from "../../api-contract/alerts/alert-rules.ts";
import {
  PUSH_LANGUAGES,
  PUSH_SUBSCRIPTIONS_MAX,
  type PushStore,
  type PushSubscription,
  type StoredPush,
  type VapidKey,
} from "../../control/alerts/push.ts";
import type { Database } from "../database/database.ts";
import { settingOf } from "../database/one-of.ts";
import type { PushSubscriptionRow, Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** There is one key. */
const ONLY = 1;
const KEY_PLACE = { table: "push_key", column: "d", row: String(ONLY) };
/** Separates two values in one column. Neither ids nor labels contain a control character. */
const SEPARATOR = "\n";

/**
 * The id of a subscription, also the row in its sealed values' places. SHA-256 is enough: an endpoint cannot be
 * guessed.
 */
const idOf = (endpoint: string): string => createHash("sha256").update(endpoint).digest("hex");

const place = (id: string, column: "endpoint" | "auth") => ({ table: "push_subscription", column, row: id });
const listOf = (text: string): readonly string[] => (text === "" ? [] : text.split(SEPARATOR));

/**
 * Push subscriptions and the key that signs messages. Everything that would let others send messages to a browser is
 * sealed.
 */
export class SqlPushStore implements PushStore {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async vapidKey(make: () => VapidKey): Promise<VapidKey> {
    const known = await this.#database.read((db) => selectKey(db, this.#secrets));
    if (known !== undefined) return known;
    return this.#database.write(async (trx) => {
      const { x, y, d } = make();
      const row = { id: ONLY, x, y, d: this.#secrets.seal(d, KEY_PLACE) };
      // Another node may have stored one meanwhile: that one stays.
      await trx
        .insertInto("push_key")
        .values(row)
        .onConflict((conflict) => conflict.column("id").doNothing())
        .execute();
      const stored = await selectKey(trx, this.#secrets);
      if (stored === undefined) throw new Error("the key that was stored in this transaction is not there");
      return stored;
    });
  }

  put(subscription: PushSubscription, sessionHash: string, now: number): Promise<boolean> {
    return this.#database.write(async (trx) => {
      await deleteEndedPushes(trx);
      const session = await trx
        .selectFrom("dashboard_session")
        .where("token_hash", "=", sessionHash)
        .select("token_hash")
        .executeTakeFirst();
      if (session === undefined) return false;
      const id = idOf(subscription.endpoint);
      const others = await trx
        .selectFrom("push_subscription")
        .where("subscription_id", "!=", id)
        .select(({ fn }) => fn.countAll<number>().as("count"))
        .executeTakeFirstOrThrow();
      if (Number(others.count) >= PUSH_SUBSCRIPTIONS_MAX) return false;
      await trx.deleteFrom("push_subscription").where("subscription_id", "=", id).execute();
      await trx
        .insertInto("push_subscription")
        .values(pushRow(this.#secrets, id, subscription, sessionHash, now))
        .execute();
      return true;
    });
  }

  list(usedSince: number): Promise<readonly StoredPush[]> {
    return this.#database.read(async (db) => {
      const rows = await db
        .selectFrom("push_subscription")
        .innerJoin("dashboard_session", "dashboard_session.token_hash", "push_subscription.session_hash")
        .where("dashboard_session.last_used_time", ">=", usedSince)
        .selectAll("push_subscription")
        .orderBy("subscription_id")
        .execute();
      return rows.map((row) => readPush(row, this.#secrets));
    });
  }

  find(endpoint: string): Promise<StoredPush | undefined> {
    return this.#database.read(async (db) => {
      const row = await db
        .selectFrom("push_subscription")
        .where("subscription_id", "=", idOf(endpoint))
        .selectAll()
        .executeTakeFirst();
      return row === undefined ? undefined : readPush(row, this.#secrets);
    });
  }

  async delete(endpoint: string): Promise<void> {
    await this.#database.write((trx) =>
      trx.deleteFrom("push_subscription").where("subscription_id", "=", idOf(endpoint)).execute(),
    );
  }

  get #secrets(): Secrets {
    return this.#database.secrets;
  }
}

/** Removes the subscriptions of ended sessions. */
export async function deleteEndedPushes(trx: Transaction<Schema>): Promise<void> {
  await trx
    .deleteFrom("push_subscription")
    .where("session_hash", "not in", trx.selectFrom("dashboard_session").select("token_hash"))
    .execute();
}

async function selectKey(db: Kysely<Schema>, secrets: Secrets): Promise<VapidKey | undefined> {
  const row = await db.selectFrom("push_key").where("id", "=", ONLY).selectAll().executeTakeFirst();
  return row === undefined ? undefined : { x: row.x, y: row.y, d: secrets.open(row.d, KEY_PLACE) };
}

function pushRow(secrets: Secrets, id: string, push: PushSubscription, sessionHash: string, now: number) {
  const { endpoint, p256dh, auth, language, contact, rules, isQuietInFocus } = push;
  return {
    subscription_id: id,
    session_hash: sessionHash,
    endpoint: secrets.seal(endpoint, place(id, "endpoint")),
    p256dh,
    auth: secrets.seal(auth, place(id, "auth")),
    language,
    contact,
    scope: rules.scope,
    channel_ids: rules.channelIds.join(SEPARATOR),
    labels: rules.labels.join(SEPARATOR),
    severities: rules.severities.join(SEPARATOR),
    is_quiet: isQuietInFocus ? 1 : 0,
    update_time: now,
  };
}

function readPush(row: Selectable<PushSubscriptionRow>, secrets: Secrets): StoredPush {
  const id = row.subscription_id;
  return {
    id,
    endpoint: secrets.openAgain(row.endpoint, place(id, "endpoint")),
    p256dh: row.p256dh,
    auth: secrets.openAgain(row.auth, place(id, "auth")),
    language: settingOf(PUSH_LANGUAGES, row.language, "en"),
    contact: row.contact,
    rules: {
      scope: settingOf(ALERT_SCOPES, row.scope, "all"),
      channelIds: listOf(row.channel_ids),
      labels: listOf(row.labels),
      severities: ALERT_SEVERITIES.filter((each) => listOf(row.severities).includes(each)),
    },
    isQuietInFocus: row.is_quiet === 1,
  };
}
