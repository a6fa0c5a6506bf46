import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import { backUp } from "../../../src/app/commands/backup.ts";
import { restore } from "../../../src/app/commands/restore.ts";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";

/** More changes than a restore makes: the test ends with the first run that is not killed. */
const CHANGES_MAX = 100;
const KILLER = fileURLToPath(new URL("../restore-until-killed.ts", import.meta.url));

let root = "";
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "fanfare-restore-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const at = (dataDir: string) => ({ dataDir });

/** A data folder as a killed server leaves it: all of this channel is in the write-ahead log alone. */
async function killedServerFolder(name: string, n: number): Promise<string> {
  const [used, folder] = [join(root, `${name}-used`), join(root, name)];
  const storage = await openStorage(at(used));
  await storage.store.createChannel(newChannel(n));
  cpSync(used, folder, { recursive: true });
  await storage.close();
  expect(statSync(join(folder, "fanfare.db-wal")).size).toBeGreaterThan(0);
  return folder;
}

/** The keys of the channels that open in this folder. */
async function keysIn(folder: string): Promise<readonly string[]> {
  const storage = await openStorage(at(folder));
  try {
    const { channels } = await storage.store.listChannels({}, { number: 1, size: 10 });
    return channels.map(({ streamKey }) => streamKey);
  } finally {
    await storage.close();
  }
}

async function restoreUntilKilled(folder: string, backup: string, killAt: number): Promise<boolean> {
  const child = spawn(process.execPath, [KILLER, folder, backup, String(killAt)], { stdio: "inherit" });
  const [code, signal] = await once(child, "close");
  expect([code, signal]).toEqual(signal === null ? [0, null] : [null, "SIGKILL"]);
  return signal !== null;
}

test("a restore killed at any change leaves the former database or the restored one, whole and with its keys", async () => {
  const former = await killedServerFolder("former", 1);
  const other = await killedServerFolder("other", 2);
  const backup = join(root, "backup");
  await backUp(at(other), backup);
  const seen = new Set<string>();
  let killAt = 0;
  for (let isKilled = true; isKilled; ) {
    killAt += 1;
    expect(killAt).toBeLessThan(CHANGES_MAX);
    const folder = join(root, `killed-${killAt}`);
    cpSync(former, folder, { recursive: true });
    isKilled = await restoreUntilKilled(folder, backup, killAt);
    const keys = await keysIn(folder);
    expect([["stream-key-1"], ["stream-key-2"]], `killed at ${killAt}`).toContainEqual(keys);
    seen.add(keys.join());
    const aside = readdirSync(folder).filter((name) => /^before-restore-\d+$/.test(name));
    if (keys[0] === "stream-key-2") expect(await keysIn(join(folder, aside[0] ?? "none"))).toEqual(["stream-key-1"]);
    // And the restore can be repeated.
    await restore(at(folder), backup, Date.now() + 1);
    expect(await keysIn(folder)).toEqual(["stream-key-2"]);
    const text = readFileSync(join(folder, "encryption.key"), "utf8");
    expect(text).toBe(readFileSync(join(backup, "encryption.key"), "utf8"));
  }
  expect([...seen]).toEqual(["stream-key-1", "stream-key-2"]);
  expect(killAt).toBeGreaterThan(10);
});

test("a damaged database is kept unchanged, and nothing of its log gets into the restored one", async () => {
  const folder = await killedServerFolder("damaged", 1);
  const other = await killedServerFolder("healthy", 2);
  const backup = join(root, "backup");
  await backUp(at(other), backup);
  truncateSync(join(folder, "fanfare.db"), 100);
  const [database, log] = ["fanfare.db", "fanfare.db-wal"].map((name) => readFileSync(join(folder, name)));
  const kept = await restore(at(folder), backup, 1);
  if (kept === undefined) throw new Error("nothing was kept");
  expect(readFileSync(join(kept, "fanfare.db"))).toEqual(database);
  if (existsSync(join(kept, "fanfare.db-wal"))) expect(readFileSync(join(kept, "fanfare.db-wal"))).toEqual(log);
  expect(await keysIn(folder)).toEqual(["stream-key-2"]);
});

test("a copy of a data folder is restored with what its log alone holds, and stays as it is", async () => {
  const copy = await killedServerFolder("copy", 2);
  const files = () => ["fanfare.db", "fanfare.db-wal"].map((name) => readFileSync(join(copy, name)));
  const before = files();
  const folder = join(root, "restored");
  await restore(at(folder), copy, 1);
  expect(await keysIn(folder)).toEqual(["stream-key-2"]);
  expect(files()).toEqual(before);
  expect(readdirSync(folder).filter((name) => name.includes("restoring"))).toEqual([]);
});
