import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import type { Kysely, Transaction } from "kysely";
import { afterEach, beforeEach, expect, test } from "vitest";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import type { Database } from "../../src/store/database/database.ts";
import { SqlDeliveryStore } from "../../src/store/deliveries/delivery-store.ts";
import { SqlEventStore } from "../../src/store/events/event-store.ts";
import { KeyRotation, provenKeyIds } from "../../src/store/key-rotation.ts";
import type { Schema } from "../../src/store/schema/schema.ts";
import { newMasterKey, readKeyFile, writeKeyFile } from "../../src/store/secrets/key-file.ts";
import { openSqliteDatabase } from "../../src/store/sqlite/sqlite.ts";
import { newChannel } from "./suites/store-suite-data.ts";

/** More than two batches of rows in the tables that have most. */
const CHANNELS = 120;
const ACCESS_KEY = { accessKeyId: "KEY", secretKey: "the-secret", role: "manager", name: "m", createdTime: 1 } as const;

let folder = "";
let path = "";
let keyFile = "";
let database: Database;
let store: SqlStore;
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-rotation-"));
  path = join(folder, "fanfare.db");
  keyFile = join(folder, "encryption.key");
  await reopen();
});
afterEach(async () => {
  await store.close();
  rmSync(folder, { recursive: true, force: true });
});

async function reopen(): Promise<void> {
  database = (await openSqliteDatabase(path)).database;
  store = new SqlStore(database);
}

/** Another connection fills the tables in one transaction: the store syncs each write. */
async function fill(): Promise<void> {
  await store.putAccessKey(ACCESS_KEY);
  // Most have no backup key, and an absent value must stay absent.
  const channel = (n: number) => newChannel(n, n % 20 === 0 ? { backupStreamKey: `backup-key-${n}` } : {});
  await Promise.all(Array.from({ length: CHANNELS }, (_, n) => store.createChannel(channel(n))));
  const { secrets } = database;
  const sealed = (text: string, column: string) => secrets.seal(text, { table: "webhook_endpoint", column, row: "" });
  const other = new DatabaseSync(path);
  other
    .prepare("INSERT INTO webhook_endpoint (scope, url, secret, revision, update_time) VALUES ('', ?, ?, 1, 1)")
    .run(sealed("https://x", "url"), sealed("whsec_x", "secret"));
  other.close();
  await new SqlEventStore(database).appendEvents([
    { channelId: "c", code: "PUBLISH_START", level: "INFO", time: 1, description: "d", isForWebhook: true },
  ]);
}

/** Puts a new key in front. */
function addKey(): string {
  const key = newMasterKey();
  writeKeyFile(keyFile, [key, ...(readKeyFile(keyFile) ?? [])]);
  return key.id;
}

/** How many values of the whole database, whatever the table, are sealed with this key. */
function sealedWith(keyId: string): number {
  const other = new DatabaseSync(path, { readOnly: true });
  const tables = other.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all();
  const rows = tables.flatMap((table) => other.prepare(`SELECT * FROM "${table["name"]}"`).all());
  other.close();
  return rows.flatMap((row) => Object.values(row)).filter((value) => String(value).startsWith(`v1.${keyId}.`)).length;
}

async function expectAllReadable(): Promise<void> {
  for (const n of [0, 1, 59, CHANNELS - 1]) {
    expect(await store.findChannelByStreamKey(`stream-key-${n}`)).toMatchObject({
      channelId: newChannel(n).channelId,
      targets: [
        { url: "rtmp://a.rtmp.youtube.com/live2", streamKey: "?a=b&c=d:é" },
        { url: "rtmps://example.com/app", streamKey: "key", loginId: "user", loginPassword: "pass" },
      ],
    });
  }
  expect((await store.findChannelByStreamKey("backup-key-20"))?.channelId).toBe(newChannel(20).channelId);
  expect((await store.findChannel(newChannel(21).channelId))?.backupStreamKey).toBeUndefined();
  expect(await store.findAccessKeyBySecret("the-secret")).toEqual(ACCESS_KEY);
  const { deliveries } = await new SqlDeliveryStore(database).listDeliveries({}, { number: 1, size: 10 });
  expect(deliveries).toMatchObject([{ url: "https://x" }]);
}

test("a rotation to a new key seals everything with it, finds everything by it, and leaves nothing under the old one", async () => {
  await fill();
  const oldId = database.secrets.currentKeyId;
  const valueCount = sealedWith(oldId);
  const rotation = new KeyRotation(database, keyFile);
  expect(await rotation.takeUp()).toBeUndefined();

  const keyId = addKey();
  // Each channel and its two targets, the access key, the webhook, its delivery.
  expect(await rotation.takeUp()).toEqual({ keyId, resealedRows: 3 * CHANNELS + 3 });
  expect(sealedWith(oldId)).toBe(0);
  expect(sealedWith(keyId)).toBe(valueCount);
  expect(await database.read(provenKeyIds)).toEqual([keyId]);
  await expectAllReadable();
  expect(await rotation.takeUp()).toBeUndefined();

  // The old key can go now.
  writeKeyFile(keyFile, (readKeyFile(keyFile) ?? []).slice(0, 1));
  expect(await rotation.takeUp()).toBeUndefined();
  await expectAllReadable();
  await store.close();
  await reopen();
  await expectAllReadable();
});

test("reads and writes go on while everything is sealed again", async () => {
  await fill();
  addKey();
  let isDone = false;
  const rotation = new KeyRotation(database, keyFile).takeUp().finally(() => {
    isDone = true;
  });
  let writes = 0;
  while (!isDone) {
    expect(await store.findChannelByStreamKey(`stream-key-${writes % CHANNELS}`)).toBeDefined();
    await store.createChannel(newChannel(1_000 + writes));
    writes += 1;
    await setImmediate();
  }
  await rotation;
  expect(writes).toBeGreaterThan(3);
  for (let n = 0; n < writes; n += 1)
    expect(await store.findChannelByStreamKey(`stream-key-${1_000 + n}`)).toBeDefined();
  await expectAllReadable();
});

test("a rotation that was cut short at any transaction goes on at the next start", async () => {
  await fill();
  const oldId = database.secrets.currentKeyId;
  const keyId = addKey();
  let isOver = false;
  for (let cutAfter = 0; !isOver; cutAfter += 1) {
    let left = cutAfter;
    // The process is gone at this point: what was committed stays, and nothing comes after it.
    const cut = {
      secrets: database.secrets,
      read: <Value>(run: (db: Kysely<Schema>) => Promise<Value>) => database.read(run),
      write: <Value>(run: (trx: Transaction<Schema>) => Promise<Value>) => {
        left -= 1;
        return left < 0 ? Promise.reject<Value>(new Error("cut")) : database.write(run);
      },
    };
    isOver = await new KeyRotation(cut, keyFile).takeUp().then(
      () => true,
      (error: Error) => {
        expect(error.message).toBe("cut");
        return false;
      },
    );
    await store.close();
    await reopen();
    await expectAllReadable();
    expect(readKeyFile(keyFile)?.map((key) => key.id)).toEqual([keyId, oldId]);
    if (!isOver) expect(await database.read(provenKeyIds)).toContain(oldId);
  }
  expect(sealedWith(oldId)).toBe(0);
  expect(await database.read(provenKeyIds)).toEqual([keyId]);
});

test("a key file without a needed key changes nothing, and is used once it is repaired", async () => {
  await fill();
  const oldId = database.secrets.currentKeyId;
  const keys = readKeyFile(keyFile) ?? [];
  const rotation = new KeyRotation(database, keyFile);
  await rotation.takeUp();

  const added = newMasterKey();
  writeKeyFile(keyFile, [added]);
  await expect(rotation.takeUp()).rejects.toThrow(`lacks the key ${oldId}`);
  rmSync(keyFile);
  await expect(rotation.takeUp()).rejects.toThrow("is missing: put back your copy of it");
  await expectAllReadable();
  await store.createChannel(newChannel(5_000));
  expect(sealedWith(added.id)).toBe(0);

  writeKeyFile(keyFile, [added, ...keys]);
  expect(await rotation.takeUp()).toMatchObject({ keyId: added.id });
  expect(sealedWith(oldId)).toBe(0);
});
