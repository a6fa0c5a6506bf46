import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { StoreUnavailableError } from "../../src/control/ports/errors.ts";
import { keepAudit } from "../../src/store/audit/audit-store.ts";
import { SqlStore } from "../../src/store/channels/sql-store.ts";
import { PROGRAM_VERSION } from "../../src/store/migrations/program-version.ts";
import {
  databaseOver,
  openConnection,
  openSqliteDatabase,
  openSqliteStore,
  takeSqliteDatabase,
} from "../../src/store/sqlite/sqlite.ts";
import { storeSuite } from "./suites/store-suite.ts";
import { newChannel } from "./suites/store-suite-data.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-store-"));
  path = join(folder, "fanfare.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

storeSuite("SQLite", () => openSqliteStore(path));

test("written data is there when the file is opened again", async () => {
  const store = await openSqliteStore(path);
  const created = await store.createChannel(newChannel(1));
  await store.close();
  await store.close();
  const again = await openSqliteStore(path);
  expect(await again.findChannel(created.channelId)).toEqual(created);
  expect(await again.createChannel(newChannel(2))).toMatchObject({ instanceNo: 2 });
  await again.close();
});

test("the database's files are for their owner alone", async () => {
  const store = await openSqliteStore(path);
  await store.createChannel(newChannel(1));
  for (const suffix of ["", "-wal", "-shm"]) expect(statSync(path + suffix).mode & 0o777).toBe(0o600);
  await store.close();
});

test.runIf(process.platform === "linux")(
  "a database that was given up and taken back keeps its lock of the file, without which others remove the write-ahead log",
  async () => {
    const { database } = await openSqliteDatabase(path);
    const isLocked = () => readFileSync("/proc/locks", "utf8").includes(`:${statSync(path).ino} `);
    expect(isLocked()).toBe(true);
    await database.giveUp();
    await takeSqliteDatabase(database);
    expect(isLocked()).toBe(true);
    await database.close();
    expect(isLocked()).toBe(false);
  },
);

test("commits are synced: WAL with synchronous FULL; and foreign keys are checked", () => {
  const database = openConnection(path);
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
  expect(database.prepare("PRAGMA foreign_keys").get()).toEqual({ foreign_keys: 1 });
  database.close();
});

test("a stream key and a channel's targets are looked up by an index", async () => {
  const database = openConnection(path);
  const store = new SqlStore((await databaseOver(database, path)).database);
  const plan = (query: string) =>
    database
      .prepare(`EXPLAIN QUERY PLAN ${query}`)
      .all()
      .map((row) => row["detail"]);
  expect(plan("SELECT * FROM channel WHERE stream_key_index IN ('x', 'y')")).toEqual([
    expect.stringMatching(/^SEARCH channel USING INDEX .*\(stream_key_index=\?\)$/),
  ]);
  expect(plan("SELECT * FROM target WHERE channel_id = 'x'")).toEqual([
    "SEARCH target USING INDEX target_by_channel (channel_id=?)",
  ]);
  await store.close();
});

test("while another process holds the lock a write is refused as locked, reads go on, and then writes do", async () => {
  const store = await openSqliteStore(path);
  const { channelId } = await store.createChannel(newChannel(1));
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const failure = await store.createChannel(newChannel(2)).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailableError);
  expect(failure).toMatchObject({ trouble: "locked" });
  expect(await store.findChannel(channelId)).toBeDefined();
  other.exec("ROLLBACK");
  other.close();
  expect(await store.createChannel(newChannel(2))).toMatchObject({ instanceNo: 2 });
  await store.close();
});

test("while another process holds the lock totals are refused at once: reads wait for them", async () => {
  const store = await openSqliteStore(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const settled = store.addTotals({ channels: [], targets: [] }).catch((error: unknown) => error);
  const soon = await Promise.race([settled, setImmediate().then(() => "later")]);
  expect(soon).toMatchObject({ name: "StoreUnavailableError", trouble: "locked" });
  other.close();
  await store.close();
});

test("a write that meets a lock which is gone a moment later succeeds", async () => {
  const store = await openSqliteStore(path);
  const other = new DatabaseSync(path);
  other.exec("BEGIN IMMEDIATE");
  const created = store.createChannel(newChannel(1));
  await setImmediate();
  expect(await store.findChannel(newChannel(1).channelId)).toBeUndefined();
  other.close();
  expect(await created).toMatchObject({ instanceNo: 1 });
  await store.close();
});

test("a full disk refuses a write as full, and leaves the store usable", async () => {
  const database = openConnection(path);
  const store = new SqlStore((await databaseOver(database, path)).database);
  database.exec("PRAGMA max_page_count = 40");
  const failure = await store
    .createChannel(newChannel(1, { name: "n".repeat(200_000) }))
    .catch((error: unknown) => error);
  expect(failure).toMatchObject({ name: "StoreUnavailableError", trouble: "full" });
  expect(await store.createChannel(newChannel(2))).toMatchObject({ instanceNo: 1 });
  await store.close();
});

test("a missing access key costs the opening of a secret, like an existing one", async () => {
  const { database } = await openSqliteDatabase(path);
  const store = new SqlStore(database);
  await store.putAccessKey({ accessKeyId: "A", secretKey: "s".repeat(40), role: "viewer", name: "", createdTime: 1 });
  const open = vi.spyOn(database.secrets, "open");
  expect(await store.findAccessKey("A")).toBeDefined();
  expect(open).toHaveBeenCalledTimes(1);
  expect(await store.findAccessKey("B")).toBeUndefined();
  expect(open).toHaveBeenCalledTimes(2);
  database.secrets.replaceKeys([{ id: "00000001", bytes: Buffer.alloc(32) }]);
  expect(await store.findAccessKey("B")).toBeUndefined();
  await store.close();
});

test("a database of a newer version is refused, with both versions", async () => {
  const store = await openSqliteStore(path);
  await store.close();
  const other = new DatabaseSync(path);
  other.exec("INSERT INTO kysely_migration VALUES ('9999-from-the-future', '2030-01-01')");
  other.exec("INSERT INTO program_version (version) VALUES ('9.9.9')");
  other.close();
  await expect(openSqliteStore(path)).rejects.toThrow(
    `the database ${path} was written by a newer Fanfare (9.9.9, with the step 9999-from-the-future) than this one (${PROGRAM_VERSION}, whose last step is 00`,
  );
});

/** Starts the writer, kills it after `afterMs`, and returns the lines it had printed by then. */
async function writeUntilKilled(first: number, afterMs: number): Promise<string[]> {
  const script = fileURLToPath(new URL("./durability-writer.ts", import.meta.url));
  const child = spawn(process.execPath, [script, path, String(first)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8");
  child.stdout.on("data", (text: string) => {
    // The clock starts with the first write: how long a process takes to start does not matter.
    if (output === "") setTimeout(() => child.kill("SIGKILL"), afterMs);
    output += text;
  });
  await once(child, "close");
  expect(child.signalCode).toBe("SIGKILL");
  return output.split("\n").slice(0, -1);
}

test("no acknowledged write is lost to kill -9, whenever it comes", async () => {
  let lines = 0;
  for (let round = 0; round < 20; round += 1) {
    const printed = await writeUntilKilled(round * 10_000, (round * 7) % 40);
    lines += printed.length;
    const { database } = await openSqliteDatabase(path);
    const store = new SqlStore(database);
    const audit = keepAudit(database, () => undefined);
    for (const line of printed) {
      const [what, channelId = "", streamKey = ""] = line.split(" ");
      const channel = await store.findChannel(channelId);
      // Each acknowledged write has its record.
      const { records } = await audit.listAudit({ channelId }, { number: 1, size: 10 });
      expect(records.map(({ traceId }) => traceId)).toContain(line);
      expect(channel, line).toMatchObject({ channelId, targetCount: 2 });
      if (what === "changed") expect(channel?.targets[0]?.streamKey).toBe(streamKey);
    }
    await store.close();
  }
  expect(lines).toBeGreaterThanOrEqual(20);
});
