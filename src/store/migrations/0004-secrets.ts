import type { Kysely } from "kysely";
import type { EncryptionKeyRow } from "../schema/schema.ts";
import { proofRow } from "../secrets/key-proof.ts";
import type { Secrets } from "../secrets/secrets.ts";

/** The tables that this step changes, as they are at this step. */
type Tables = {
  channel: { channel_id: string; stream_key: string; stream_key_index: string };
  target: { target_id: number; stream_key: string; login_password: string };
  access_key: { access_key_id: string; secret_key: string; secret_hash: string };
  encryption_key: EncryptionKeyRow;
};

/** Seals every secret, stores proof of the key, and finds stream keys and Bearer secrets by an index. */
export async function up(db: Kysely<Tables>, secrets: Secrets): Promise<void> {
  await db.schema
    .createTable("encryption_key")
    .addColumn("key_id", "text", (column) => column.primaryKey().notNull())
    .addColumn("proof", "text", (column) => column.notNull())
    .execute();
  await db.insertInto("encryption_key").values(proofRow(secrets, secrets.currentKeyId)).execute();

  await db.schema
    .alterTable("channel")
    .addColumn("stream_key_index", "text", (column) => column.notNull().defaultTo(""))
    .execute();
  await sealChannels(db, secrets);
  await db.schema.createIndex("channel_by_stream_key").on("channel").column("stream_key_index").unique().execute();
  await sealTargets(db, secrets);
  await sealAccessKeys(db, secrets);
}

async function sealChannels(db: Kysely<Tables>, secrets: Secrets): Promise<void> {
  for (const row of await db.selectFrom("channel").select(["channel_id", "stream_key"]).execute()) {
    const place = { table: "channel", column: "stream_key", row: row.channel_id };
    await db
      .updateTable("channel")
      .set({
        stream_key: secrets.seal(row.stream_key, place),
        stream_key_index: secrets.index(row.stream_key, "channel", "stream_key"),
      })
      .where("channel_id", "=", row.channel_id)
      .execute();
  }
}

async function sealTargets(db: Kysely<Tables>, secrets: Secrets): Promise<void> {
  const rows = await db.selectFrom("target").select(["target_id", "stream_key", "login_password"]).execute();
  for (const { target_id: id, stream_key: streamKey, login_password: password } of rows) {
    const row = String(id);
    await db
      .updateTable("target")
      .set({
        stream_key: secrets.seal(streamKey, { table: "target", column: "stream_key", row }),
        login_password: secrets.seal(password, { table: "target", column: "login_password", row }),
      })
      .where("target_id", "=", id)
      .execute();
  }
}

async function sealAccessKeys(db: Kysely<Tables>, secrets: Secrets): Promise<void> {
  for (const row of await db.selectFrom("access_key").select(["access_key_id", "secret_key"]).execute()) {
    const place = { table: "access_key", column: "secret_key", row: row.access_key_id };
    await db
      .updateTable("access_key")
      .set({
        secret_key: secrets.seal(row.secret_key, place),
        secret_hash: secrets.index(row.secret_key, "access_key", "secret_key"),
      })
      .where("access_key_id", "=", row.access_key_id)
      .execute();
  }
}
