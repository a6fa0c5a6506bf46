import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { KeyFileError, newMasterKey, readKeyFile, writeKeyFile } from "../../src/store/key-file.ts";
import { openSqliteDatabase, openSqliteStore } from "../../src/store/sqlite.ts";
import { newChannel } from "./store-suite-data.ts";

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
  test("is for its owner alone, and gives back what was written", () => {
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
      `the encryption key file ${keyFile} does not hold keys, or not only keys: put back your copy of it, ` +
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
    expect(() => writeKeyFile(away, [newMasterKey()])).toThrow(/cannot be written \(ENOENT\): its folder has to exist/);
  });
});

describe("a database", () => {
  /** A database with a channel in it; answers its key file's text. */
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

  test("takes the key file it is given", async () => {
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

  test("of the time before sealing is sealed at its first start, and none of its plaintext stays in any file", async () => {
    const canaries = ["canary-ingest", "canary-target", "canary-password", "canary-secret", "canary-deleted"];
    await filled();
    const plain = new DatabaseSync(path);
    // What version 0001 and 0002 left: plaintext, no index, no keys.
    plain.exec(`
      DROP INDEX channel_listed; DROP INDEX channel_by_backup_stream_key; ALTER TABLE channel DROP COLUMN backup_stream_key_index;
      ALTER TABLE channel DROP COLUMN backup_stream_key; ALTER TABLE channel DROP COLUMN hold_seconds;
      ALTER TABLE target DROP COLUMN buffer_policy; ALTER TABLE target DROP COLUMN tls_ca; ALTER TABLE target DROP COLUMN tls_fingerprint;
      DROP INDEX delivery_lane_by_turn; ALTER TABLE delivery_lane DROP COLUMN host; ALTER TABLE delivery_lane DROP COLUMN is_retry;
      ALTER TABLE delivery DROP COLUMN resend_count;
      DROP INDEX channel_by_stream_key; ALTER TABLE channel DROP COLUMN stream_key_index; DROP TABLE encryption_key;
      DELETE FROM kysely_migration WHERE name >= '0004'; PRAGMA user_version = 0;
      UPDATE channel SET stream_key = 'canary-ingest'; UPDATE target SET stream_key = 'canary-target';
      UPDATE target SET login_password = 'canary-password' WHERE login_password <> '';
      INSERT INTO access_key (access_key_id, secret_key, secret_hash, role, name, created_time)
        VALUES ('A', 'canary-secret', 'x', 'manager', 'm', 1), ('B', 'canary-deleted', 'x', 'viewer', 'b', 1);
      DELETE FROM access_key WHERE access_key_id = 'B';`);
    rmSync(keyFile);
    const store = await openSqliteStore(path);
    const files = () => readdirSync(folder).map((name) => readFileSync(join(folder, name), "latin1"));
    expect(canaries.filter((canary) => files().some((text) => text.includes(canary)))).toEqual([]);
    expect(await store.findChannelByStreamKey("canary-ingest")).toMatchObject({
      streamKey: "canary-ingest",
      holdSeconds: 120,
      targets: [
        { streamKey: "canary-target", bufferPolicy: "drop" },
        { streamKey: "canary-target", loginPassword: "canary-password" },
      ],
    });
    expect(await store.findAccessKeyBySecret("canary-secret")).toMatchObject({ accessKeyId: "A" });
    await store.close();
    plain.close();
    expect(canaries.filter((canary) => files().some((text) => text.includes(canary)))).toEqual([]);
  });
});
