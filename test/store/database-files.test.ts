import fs, { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { open, stat, truncate } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { examineData } from "../../src/app/commands/doctor/data-checks.ts";
import { openStorage } from "../../src/app/data-folder/storage.ts";
import { StoreUnavailableError } from "../../src/control/ports/errors.ts";
import type { DatabaseNews } from "../../src/store/database/database.ts";
import { databaseTrouble, openFailure } from "../../src/store/database/database-trouble.ts";
import { newMasterKey, writeKeyFile } from "../../src/store/secrets/key-file.ts";
import { markFirstStart } from "../../src/store/sqlite/first-start.ts";
import { openConnection, openSqliteStore } from "../../src/store/sqlite/sqlite.ts";
import { newChannel } from "./suites/store-suite-data.ts";

let folder = "";
let path = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "fanfare-store-"));
  path = join(folder, "fanfare.db");
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A used data folder, with channels in it. */
async function used(channels = 3): Promise<void> {
  const store = await openSqliteStore(path);
  for (let number = 1; number <= channels; number += 1) await store.createChannel(newChannel(number));
  await store.close();
}

/** The table's first page, overwritten as a failing disk would. */
async function damage(table: string): Promise<void> {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
  const { page_size: pageBytes } = database.prepare("PRAGMA page_size").get() ?? {};
  const { rootpage } = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table) ?? {};
  database.close();
  const file = await open(path, "r+");
  await file.write(
    Buffer.alloc(Number(pageBytes), 0xa5),
    0,
    Number(pageBytes),
    (Number(rootpage) - 1) * Number(pageBytes),
  );
  await file.close();
}

const refusal = async (start: Promise<unknown>) => {
  const error: unknown = await start.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return error instanceof Error ? `${error.name}: ${error.message}` : "started";
};

test.each([
  ["missing", () => rmSync(path)],
  ["empty", () => truncate(path)],
] as const)(
  "a database that is %s beside its key file is not a first start, unless a start option says so",
  async (what, lose) => {
    await used();
    await lose();
    const before = readdirSync(folder).filter((name) => name !== "fanfare.lock");
    const message = await refusal(openStorage({ dataDir: folder }));
    expect(message).toContain(
      `DatabaseFileError: the database ${path} is ${what}, but its encryption key file ${folder}/encryption.key is there`,
    );
    expect(message).toContain("fanfare restore FOLDER");
    expect(message).toContain("--new-database yes");
    expect(readdirSync(folder).filter((name) => name !== "fanfare.lock")).toEqual(before);
    const storage = await openStorage({ dataDir: folder, newDatabase: "yes" });
    expect([await storage.store.listAccessKeys(), storage.newKeyFile]).toEqual([[], undefined]);
    await storage.close();
    await (await openStorage({ dataDir: folder })).close();
  },
);

test("a database without tables beside a key file is not a first start, unless a start was cut short", async () => {
  const lost = openConnection(path);
  writeKeyFile(join(folder, "encryption.key"), [newMasterKey()]);
  lost.close();
  expect(await refusal(openStorage({ dataDir: folder }))).toContain(`the database ${path} is empty`);
  const begun = openConnection(path);
  markFirstStart(begun);
  begun.close();
  const storage = await openStorage({ dataDir: folder });
  expect(storage.newKeyFile).toBeUndefined();
  await storage.close();
});

test("a file that is no database is named, with what to do, and left unchanged", async () => {
  await used();
  writeFileSync(path, "this is no database ".repeat(300));
  const { size } = await stat(path);
  const message = await refusal(openStorage({ dataDir: folder }));
  expect(message).toContain(
    `DatabaseFileError: the database ${path} is damaged, or is not a database (file is not a database)`,
  );
  expect(message).toContain(`sqlite3 ${path} .recover`);
  expect((await stat(path)).size).toBe(size);
});

test("a damaged page is found at the start, every caller that meets it gets an error, and other tables are read as before", async () => {
  await used();
  await damage("channel");
  const storage = await openStorage({ dataDir: folder });
  expect(storage.check.problems.join()).toMatch(/^channel: /);
  const news: DatabaseNews[] = [];
  storage.database.watch((each) => news.push(each));
  const failure: unknown = await storage.store
    .listChannels({}, { number: 1, size: 10 })
    .catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(StoreUnavailableError);
  expect(failure).toMatchObject({ trouble: "damaged", path });
  expect(news).toEqual([{ kind: "damaged", detail: expect.stringMatching(/malformed/) }]);
  expect(await storage.store.listAccessKeys()).toEqual([]);
  await storage.close();
});

test("of a file over 256 MiB the tables that grow with time are not looked at in a start, and the doctor finds the damage", async () => {
  await used();
  await damage("audit");
  await damage("event");
  // SQLite does not look behind its own pages.
  await truncate(path, 256 * 1024 * 1024 + 4_096);
  const storage = await openStorage({ dataDir: folder });
  expect(storage.check).toEqual({ problems: [], skipped: ["audit", "delivery", "event", "history", "report"] });
  await storage.close();
  const findings = JSON.stringify(await examineData({ dataDir: folder }));
  expect(findings).toMatch(/damaged/);
});

test("an intact database gives no message at the start", async () => {
  await used();
  const storage = await openStorage({ dataDir: folder });
  expect([storage.check, storage.unwritableBecause]).toEqual([{ problems: [], skipped: [] }, undefined]);
  await storage.close();
});

test("the doctor looks through all of it while a server runs, and changes nothing", async () => {
  await used();
  const storage = await openStorage({ dataDir: folder });
  const { findings, targets } = await examineData({ dataDir: folder });
  expect(findings).toEqual([
    { check: "database", state: "ok", text: `${path}: every page, row and index is intact.` },
    { check: "keys", state: "ok", text: `${folder}/encryption.key: opens every secret.` },
  ]);
  const { channels } = await storage.store.listChannels({}, { number: 1, size: 10 });
  const stored = await Promise.all(channels.map(({ channelId }) => storage.store.findChannel(channelId)));
  const urls = stored.flatMap((channel) => channel?.targets.map(({ url }) => url) ?? []);
  expect(urls.length).toBeGreaterThan(0);
  expect(targets?.targets.map(({ url }) => url).toSorted()).toEqual(urls.toSorted());
  expect(targets?.leftOut).toBe(0);
  await storage.close();
});

test("the doctor says what is damaged and what to do, and where keys or the database are missing", async () => {
  await used();
  await damage("channel");
  const problems = async () => {
    const { findings } = await examineData({ dataDir: folder });
    return findings.filter(({ state }) => state === "failed").map(({ text }) => text);
  };
  const damaged = await problems();
  expect(damaged[0]).toContain(`${path}: `);
  expect(damaged.at(-1)).toContain("What to do: stop the server and restore a backup (fanfare restore FOLDER)");
  rmSync(path);
  expect(await problems()).toEqual([`there is no database in ${folder}: name the data folder with --data-dir.`]);
  await used();
  rmSync(join(folder, "encryption.key"));
  expect(await problems()).toEqual([
    `the encryption key file ${folder}/encryption.key is missing: put back your copy of it.`,
  ]);
  expect(existsSync(join(folder, "encryption.key"))).toBe(false);
});

test.each([
  [11, "damaged"],
  [267, "damaged"],
  [26, "damaged"],
  [266, "damaged"],
  [522, "damaged"],
  [778, "unwritable"],
  [8, "unwritable"],
  [14, "unwritable"],
  [13, "full"],
  [5, "locked"],
  [1, undefined],
])("SQLite's result %i is reported as %s, also when it is another error's cause", (errcode, trouble) => {
  const error = Object.assign(new Error("of SQLite"), { errcode });
  expect(databaseTrouble(error)).toBe(trouble);
  expect(databaseTrouble(new Error("around it", { cause: error }))).toBe(trouble);
});

test.each([
  ["no room for another file", { files: 1_000, ffree: 3 }, true],
  ["room for a few", { files: 1_000, ffree: 4 }, false],
  ["no limit of files", { files: 0, ffree: 0 }, false],
])("a database that cannot be opened on a disk with %s", (_, disk, isFull) => {
  const statfs = vi.spyOn(fs, "statfsSync");
  syncBuiltinESMExports();
  onTestFinished(() => {
    statfs.mockRestore();
    syncBuiltinESMExports();
  });
  statfs.mockReturnValue({ bavail: 1_000_000, bsize: 4_096, ...disk } as never);
  const failure = openFailure(path, Object.assign(new Error("unable to open database file"), { errcode: 14 }));
  expect(failure.isFull).toBe(isFull);
  expect(failure.message).toContain(
    isFull ? "delete files where it has no room for more (df -i)" : "must belong to this user",
  );
});
