import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { Migrator } from "kysely/migration";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import { SqlDeliveryStore } from "../../src/store/deliveries/delivery-store.ts";
import { up as createChannels } from "../../src/store/migrations/0001-channels.ts";
import { up as addChannelSettings } from "../../src/store/migrations/0002-channel-settings.ts";
import { up as createEvents } from "../../src/store/migrations/0003-events.ts";
import { KeyFileError, newMasterKey, readKeyFile, writeKeyFile } from "../../src/store/secrets/key-file.ts";
import { openConnection, openSqliteDatabase, openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { tablesOver } from "../../src/store/sqlite/tables.ts";
import { newChannel } from "./suites/store-suite-data.ts";

let folder = "";
let path = "";
let keyFile = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-keys-"));
  path = join(folder, "fanfare.db");
  keyFile = join(folder, "encryption.key");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe("the key file", () => {
  test("is for its owner alone, and reads back as it was written", () => {
    const keys = [newMasterKey(), newMasterKey()];
    writeKeyFile(keyFile, keys);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    expect(readKeyFile(keyFile)?.map(({ id, bytes }) => [id, [...bytes]])).toEqual(
      keys.map(({ id, bytes }) => [id, [...bytes]]),
    );
    writeKeyFile(keyFile, keys.slice(1));
    expect(readKeyFile(keyFile)).toHaveLength(1);
    expect(readdirSync(folder)).toEqual(["encryption.key"]);
  });

  test("says in its heading what it is and that it has to be kept", () => {
    writeKeyFile(keyFile, [newMasterKey()]);
    expect(readFileSync(keyFile, "utf8")).toMatch(/^# .*Fanfare[\s\S]*Keep a copy/);
  });

  const line = `0123abcd ${Buffer.alloc(32, 7).toString("base64")}`;
  test.each([
    ["nothing", ""],
    ["comments alone", "# nothing\n"],
    ["a key that is too short", `0123abcd ${Buffer.alloc(31).toString("base64")}\n`],
    ["a key without an id", `${Buffer.alloc(32).toString("base64")}\n`],
    ["one id twice", `${line}\n${line}\n`],
    ["something after a key", `${line} x\n`],
    ["something else beside a key", `${line}\nhello\n`],
  ])("with %s in it is refused, and the refusal repeats none of it", (_what, text) => {
    writeFileSync(keyFile, text);
    expect(() => readKeyFile(keyFile)).toThrow(
      `the encryption key file ${keyFile} holds no keys, or something else beside them: put back your copy of it, ` +
        "or name another file with FANFARE_ENCRYPTION_KEY_FILE.",
    );
  });

  test("may have blank lines and comments", () => {
    writeFileSync(keyFile, `# mine\n\n  ${line}  \n`);
    expect(readKeyFile(keyFile)).toHaveLength(1);
  });

  test("that is a folder is refused with what to do", () => {
    expect(() => readKeyFile(folder)).toThrow(/cannot be read \(EISDIR\): give this user the right to read it/);
  });

  test("in a folder that is not there is refused with what to do", () => {
    const away = join(folder, "none", "encryption.key");
    expect(() => writeKeyFile(away, [newMasterKey()])).toThrow(/cannot be written \(ENOENT\): its folder must exist/);
  });
});

describe("a database", () => {
  /** A database with a channel in it; returns its key file's text. */
  async function filled(): Promise<string> {
    const store = await openSqliteStore(path);
    await store.createChannel(newChannel(1));
    await store.close();
    return readFileSync(keyFile, "utf8");
  }

  test("makes its key file when it is new, once", async () => {
    const first = await openSqliteDatabase(path);
    expect(first.isKeyNew).toBe(true);
    await first.database.close();
    const text = readFileSync(keyFile, "utf8");
    const second = await openSqliteDatabase(path);
    expect(second.isKeyNew).toBe(false);
    await second.database.close();
    expect(readFileSync(keyFile, "utf8")).toBe(text);
  });

  test("uses an existing key file", async () => {
    const named = join(folder, "named.key");
    writeKeyFile(named, [newMasterKey()]);
    const store = await openSqliteStore(path, named);
    await store.createChannel(newChannel(1));
    await store.close();
    expect(readdirSync(folder).filter((name) => name.endsWith(".key"))).toEqual(["named.key"]);
  });

  test("does not open without its key file, and makes no other", async () => {
    const text = await filled();
    rmSync(keyFile);
    const opened = openSqliteStore(path);
    await expect(opened).rejects.toThrow(KeyFileError);
    await expect(opened).rejects.toThrow(
      `the encryption key file ${keyFile} is missing, and the secrets in the database do not open without it: ` +
        "put back your copy of it (a backup has one too), or name it with FANFARE_ENCRYPTION_KEY_FILE.",
    );
    expect(readdirSync(folder)).not.toContain("encryption.key");
    writeFileSync(keyFile, text);
    const store = await openSqliteStore(path);
    expect(await store.findChannelByStreamKey("stream-key-1")).toBeDefined();
    await store.close();
  });

  test("does not open with another key file", async () => {
    const text = await filled();
    writeKeyFile(keyFile, [newMasterKey()]);
    await expect(openSqliteStore(path)).rejects.toThrow(/lacks the key [0-9a-f]{8} .*put back your latest copy/);
    const [id = ""] = /[0-9a-f]{8}(?= )/.exec(text) ?? [];
    writeKeyFile(keyFile, [{ ...newMasterKey(), id }]);
    await expect(openSqliteStore(path)).rejects.toThrow(/belongs to another database .*put back your copy/);
  });

  test.each([0, 1])(
    "of the time before sealing (%d) is sealed at its first start, and no plaintext stays in any file",
    async (purged) => {
      const secrets = ["ingest", "target", "password", "secret", "deleted", "address", "login", "hook", "delivered"];
      const canaries = secrets.map((name) => `canary-${name}`);
      const plain = openConnection(path);
      await migrateTo0003(plain);
      plain.exec(`PRAGMA user_version = ${purged};
      INSERT INTO channel (channel_id, instance_no, name, plan_type, env_type, state, stream_key, created_time, revision, publish_ms)
        VALUES ('ls-1', 1, 'channel', 'STANDARD', 'REAL', 'live', 'canary-ingest', 1, 1, 0);
      INSERT INTO target (target_id, channel_id, target_name, url, stream_key, login_id, login_password, label, is_enabled, bytes, play_ms, retry_count)
        VALUES (1, 'ls-1', 'CUSTOM', 'rtmp://h/canary-address', 'canary-target', '', '', '', 1, 0, 0, 0),
        (2, 'ls-1', 'CUSTOM', 'rtmp://h/canary-address', 'canary-target', 'canary-login', 'canary-password', '', 1, 0, 0, 0);
      INSERT INTO access_key (access_key_id, secret_key, secret_hash, role, name, created_time)
        VALUES ('A', 'canary-secret', 'x', 'manager', 'm', 1), ('B', 'canary-deleted', 'x', 'viewer', 'b', 1);
      DELETE FROM access_key WHERE access_key_id = 'B';
      INSERT INTO webhook_endpoint (scope, url, secret, revision, update_time) VALUES ('ls-1', 'https://h/canary-hook', '', 1, 1);
      WITH RECURSIVE n(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM n WHERE id < 1200)
        INSERT INTO event (event_id, channel_id, code, level, time, description) SELECT id, 'ls-1', 'STREAM_UPDATE', 'INFO', 1, 'd' FROM n;
      INSERT INTO delivery (event_id, channel_id, state, url, attempts, retry_until)
        SELECT event_id, 'ls-1', 'waiting', 'https://h/canary-delivered', 0, 9 FROM event;
      INSERT INTO delivery_lane (channel_id, next_time) VALUES ('ls-1', 5);`);
      const { database } = await openSqliteDatabase(path);
      const store = new SqlStore(database);
      const files = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
      expect(canaries.filter((canary) => files().some((text) => text.includes(canary)))).toEqual([]);
      expect(await store.findChannelByStreamKey("canary-ingest")).toMatchObject({
        streamKey: "canary-ingest",
        holdSeconds: 120,
        callbackUrl: "https://h/canary-hook",
        targets: [
          { url: "rtmp://h/canary-address", streamKey: "canary-target", bufferPolicy: "drop" },
          { streamKey: "canary-target", loginId: "canary-login", loginPassword: "canary-password" },
        ],
      });
      expect(await store.findAccessKeyBySecret("canary-secret")).toMatchObject({ accessKeyId: "A" });
      const deliveries = new SqlDeliveryStore(database);
      const all = await deliveries.listDeliveries({}, { number: 1, size: 2_000 });
      expect(new Set(all.deliveries.map(({ url }) => url))).toEqual(new Set(["https://h/canary-delivered"]));
      const limits = { inFlightMax: 2, perHostMax: 2, retriesMax: 2 };
      expect(await deliveries.claimDueDeliveries(5, limits, [])).toMatchObject([
        { eventId: 1, endpoint: { url: "https://h/canary-hook" } },
      ]);
      await store.close();
      plain.close();
      expect(canaries.filter((canary) => files().some((text) => text.includes(canary)))).toEqual([]);
    },
  );
});

/** The tables of the last version that stored everything unsealed. */
async function migrateTo0003(connection: DatabaseSync): Promise<void> {
  const migrations = {
    "0001-channels": { up: createChannels },
    "0002-channel-settings": { up: addChannelSettings },
    "0003-events": { up: createEvents },
  };
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  const { error } = await new Migrator({ db: tablesOver(connection), provider }).migrateToLatest();
  expect(error).toBeUndefined();
}
