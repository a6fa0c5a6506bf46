import type { Kysely, Transaction } from "kysely";
import type { IngestLogin } from "../../control/channels/channel.ts";
import { DomainError } from "../../control/ports/errors.ts";
import type { IngestUser } from "../../thread-protocol/admission.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import { lockName } from "../database/locks.ts";
import type { Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** No login at all. A deleted channel has none, so that its name is free again. */
export const NO_INGEST_LOGIN = {
  ingest_login_id: "",
  ingest_login_password: "",
  ingest_login_id_index: null,
} as const;

/** A login as stored, with its index. */
export function ingestLoginColumns(secrets: Secrets, channelId: ChannelId, { id, password }: IngestLogin) {
  if (id === "") return NO_INGEST_LOGIN;
  const sealed = (column: "ingest_login_id" | "ingest_login_password", text: string) =>
    secrets.seal(text, { table: "channel", column, row: channelId });
  return {
    ingest_login_id: sealed("ingest_login_id", id),
    ingest_login_password: sealed("ingest_login_password", password),
    ingest_login_id_index: secrets.index(id, "channel", "ingest_login_id"),
  };
}

function channelsWithLogin(db: Kysely<Schema>, secrets: Secrets, id: string) {
  return db
    .selectFrom("channel")
    .where("ingest_login_id_index", "in", secrets.indexes(id, "channel", "ingest_login_id"));
}

/** The user who logs in with this name, to a channel that may be published to. */
export async function selectIngestUser(
  db: Kysely<Schema>,
  secrets: Secrets,
  id: string,
): Promise<IngestUser | undefined> {
  const row = await channelsWithLogin(db, secrets, id)
    .where("state", "=", "live")
    .select(["channel_id", "ingest_login_password"])
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const place = { table: "channel", column: "ingest_login_password", row: row.channel_id };
  return { channelId: row.channel_id, password: secrets.open(row.ingest_login_password, place) };
}

/**
 * Throws DomainError `ingest-login-taken` where another channel has this name. A unique index is not enough: while keys
 * rotate, the index of one name differs under two keys.
 */
export async function checkLoginIsFree(
  trx: Transaction<Schema>,
  secrets: Secrets,
  channelId: ChannelId,
  login: IngestLogin | undefined,
): Promise<void> {
  if (login === undefined || login.id === "") return;
  await lockName(trx, "ingest-login");
  const taken = await channelsWithLogin(trx, secrets, login.id)
    .where("channel_id", "!=", channelId)
    .select("channel_id")
    .executeTakeFirst();
  if (taken !== undefined) throw new DomainError({ kind: "ingest-login-taken" });
}
