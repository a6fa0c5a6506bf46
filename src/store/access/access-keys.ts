import type { Kysely, Transaction } from "kysely";
import type { AccessKey } from "../../control/ports/access-key-store.ts";
import { lockManagerKeys, lockName } from "../database/locks.ts";
import { oneOf } from "../database/one-of.ts";
import type { AccessKeyRow, Schema } from "../schema/schema.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** Adds the key, or replaces the one with its id. */
export async function insertKey(trx: Transaction<Schema>, secrets: Secrets, key: AccessKey): Promise<void> {
  const { accessKeyId, secretKey, role, name, createdTime } = key;
  const row = {
    secret_key: secrets.seal(secretKey, { table: "access_key", column: "secret_key", row: accessKeyId }),
    secret_hash: secrets.index(secretKey, "access_key", "secret_key"),
    role,
    name,
    created_time: createdTime,
    last_used_time: key.lastUsedTime ?? null,
  };
  await trx
    .insertInto("access_key")
    .values({ access_key_id: accessKeyId, ...row })
    .onConflict((conflict) => conflict.column("access_key_id").doUpdateSet(row))
    .execute();
}

export async function selectKey(
  db: Kysely<Schema>,
  secrets: Secrets,
  accessKeyId: string,
): Promise<AccessKey | undefined> {
  const row = await db.selectFrom("access_key").where("access_key_id", "=", accessKeyId).selectAll().executeTakeFirst();
  if (row !== undefined) return readAccessKey(row, secrets);
  // An unknown id must take as long as a known one.
  secrets.openDecoy();
  return undefined;
}

/** Of several keys with one secret a manager's comes first. */
export async function selectKeyBySecret(
  db: Kysely<Schema>,
  secrets: Secrets,
  secretKey: string,
): Promise<AccessKey | undefined> {
  const row = await db
    .selectFrom("access_key")
    .where("secret_hash", "in", secrets.indexes(secretKey, "access_key", "secret_key"))
    .orderBy("role") // `manager` before `viewer`
    .selectAll()
    .executeTakeFirst();
  return row === undefined ? undefined : readAccessKey(row, secrets);
}

/** Adds the key where there is no manager key yet; false where there is one. */
export async function insertFirstManager(trx: Transaction<Schema>, secrets: Secrets, key: AccessKey): Promise<boolean> {
  await lockName(trx, "first-manager-key");
  if (await selectAnyManager(trx)) return false;
  await insertKey(trx, secrets, key);
  return true;
}

export async function selectAnyManager(db: Kysely<Schema>): Promise<boolean> {
  const row = await db
    .selectFrom("access_key")
    .where("role", "=", "manager")
    .select("access_key_id")
    .executeTakeFirst();
  return row !== undefined;
}

export async function selectKeys(db: Kysely<Schema>, secrets: Secrets): Promise<readonly AccessKey[]> {
  const rows = await db.selectFrom("access_key").orderBy("created_time").orderBy("access_key_id").selectAll().execute();
  return rows.map((row) => readAccessKey(row, secrets));
}

/** Looks for other managers in the same transaction: of two managers who delete each other, one stays. */
export async function deleteKey(
  trx: Transaction<Schema>,
  secrets: Secrets,
  accessKeyId: string,
): Promise<AccessKey | "last-manager" | undefined> {
  await lockManagerKeys(trx);
  const key = await selectKey(trx, secrets, accessKeyId);
  if (key === undefined) return undefined;
  if (key.role === "manager") {
    const other = await trx
      .selectFrom("access_key")
      .where("role", "=", "manager")
      .where("access_key_id", "!=", accessKeyId)
      .select("access_key_id")
      .executeTakeFirst();
    if (other === undefined) return "last-manager";
  }
  await trx.deleteFrom("access_key").where("access_key_id", "=", accessKeyId).execute();
  return key;
}

export async function updateLastUsed(trx: Transaction<Schema>, accessKeyId: string, time: number): Promise<void> {
  await trx.updateTable("access_key").set({ last_used_time: time }).where("access_key_id", "=", accessKeyId).execute();
}

function readAccessKey(row: AccessKeyRow, secrets: Secrets): AccessKey {
  return {
    accessKeyId: row.access_key_id,
    secretKey: secrets.open(row.secret_key, { table: "access_key", column: "secret_key", row: row.access_key_id }),
    role: oneOf(["manager", "viewer"], row.role),
    name: row.name,
    createdTime: Number(row.created_time),
    ...(row.last_used_time === null ? {} : { lastUsedTime: Number(row.last_used_time) }),
  };
}
