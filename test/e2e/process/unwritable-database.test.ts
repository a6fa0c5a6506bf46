import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import type { KitTarget } from "../../../src/testkit/target/target.ts";
import type { Channel } from "../../support/dashboard/api-client.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { openFilesBelow } from "../../support/processes/descriptors.ts";
import { SmallDisk } from "../../support/processes/small-disk.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** An encoder comes with the channel's key, and its stream reaches the target. */
async function expectStream(stage: Stage, channel: Channel, target: KitTarget): Promise<void> {
  const encoder = await stage.ffmpeg(await makeClip({ seconds: 3 }), publishUrl(channel), { loops: true });
  await expect.poll(() => target.connections[0]?.report.mediaBytes).toBeGreaterThan(100_000);
  expect(encoder.isRunning(), encoder.stderr()).toBe(true);
  encoder.kill("SIGINT");
  await encoder.exited;
}

test.each(["stopped", "killed"] as const)(
  "a start on a full disk, the server having been %s: streams of known keys run, writes are refused, and it heals when there is room",
  async (end) => {
    const stage = await Stage.open();
    const disk = await SmallDisk.mount(join(stage.folder, "data"));
    const target = await stage.target();
    const { api, fanfare } = await stage.server();
    const channel = await api.createChannel("full_start", [{ rtmpUrl: target.url, streamKey: uniqueKey("full") }]);
    if (end === "stopped") await fanfare.stop();
    else await fanfare.kill();
    disk.fill();

    await fanfare.restart();
    expect(await fanfare.readiness()).toMatch(/^503 .*The disk of the database is full\./);
    expect(fanfare.output).toMatch(/"what":"set-up link",.*"event":"not stored at this start"/);
    expect((await api.channel(channel.channelId)).streamKey).toBe(channel.streamKey);
    await expect(api.createChannel("refused", [{ rtmpUrl: target.url, streamKey: uniqueKey("no") }])).rejects.toThrow(
      "The disk of the database is full.",
    );
    await expectStream(stage, channel, target);

    disk.free();
    await expect.poll(() => fanfare.readiness()).toBe("200 ok\n");
    await api.createChannel("taken", [{ rtmpUrl: target.url, streamKey: uniqueKey("yes") }]);
    expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  },
);

test("a first start on a full disk says so, and the next start is still a first one", async () => {
  const stage = await Stage.open();
  const folder = join(stage.folder, "data");
  const disk = await SmallDisk.mount(folder);
  disk.fill();
  await expect(openStorage({ dataDir: folder })).rejects.toThrow(/^the disk of the database .*fanfare\.db is full /);
  disk.free();
  const storage = await openStorage({ dataDir: folder });
  expect(storage.unwritableBecause).toBeUndefined();
  await storage.close();
});

const KEY = { accessKeyId: "A", secretKey: "a secret", role: "manager", name: "", createdTime: 1 } as const;

/** A data folder with one key on a disk of its own, as a server leaves it that was stopped, or killed. */
async function leftData(log: "empty" | "full") {
  const stage = await Stage.open();
  const disk = await SmallDisk.mount(join(stage.folder, "data"));
  const path = join(disk.folder, "fanfare.db");
  const storage = await openStorage({ dataDir: disk.folder });
  await storage.store.putAccessKey(KEY);
  // A copy made now is what a killed server leaves.
  const kept = join(stage.folder, "kept");
  mkdirSync(kept);
  if (log === "full") await runToEnd("cp", ["-a", path, `${path}-wal`, `${path}-shm`, kept]);
  await storage.close();
  if (log === "full") await runToEnd("cp", ["-a", `${kept}/.`, disk.folder]);
  return { stage, disk, path };
}

/** Its storage, whose writes come two seconds apart: each tries to open the database again. */
async function openLeft(disk: SmallDisk) {
  const storage = await openStorage({ dataDir: disk.folder });
  onTestFinished(() => storage.close());
  const now = performance.now.bind(performance);
  let laterMs = 0;
  const clock = vi.spyOn(performance, "now").mockImplementation(() => now() + laterMs);
  onTestFinished(() => clock.mockRestore());
  const write = () => {
    laterMs += 2_000;
    return storage.store.markAccessKeyUsed(KEY.accessKeyId, 5);
  };
  return { storage, write, read: () => storage.store.findAccessKey(KEY.accessKeyId) };
}

test.each(["empty", "full"] as const)(
  "a start on a read-only file system, with an %s write-ahead log: everything is read, nothing is written, and it heals",
  async (log) => {
    const { disk, path } = await leftData(log);
    await disk.protect();
    const { storage, write, read } = await openLeft(disk);
    expect(storage.unwritableBecause).toMatch(/^the database .*fanfare\.db cannot be opened for writing /);
    expect(await read()).toMatchObject(KEY);
    await expect(write()).rejects.toMatchObject({ trouble: "unwritable", path });

    await disk.unprotect();
    const healed: string[] = [];
    storage.database.watch(({ kind }) => healed.push(kind));
    await write();
    expect(healed).toEqual(["writable"]);
    expect(await read()).toMatchObject({ ...KEY, lastUsedTime: 5 });
    // From now on it is in use as any other.
    await expect(openStorage({ dataDir: disk.folder })).rejects.toThrow("another Fanfare server uses the data folder");
  },
);

test("a database that can be read no more says why, is read again as soon as that is possible, and heals", async () => {
  const { stage, disk, path } = await leftData("full");
  const temporary = await SmallDisk.mount(join(stage.folder, "temporary"));
  // The system's folder for temporary files: there is the copy that is read meanwhile.
  vi.stubEnv("TMPDIR", temporary.folder);
  onTestFinished(() => void vi.unstubAllEnvs());
  rmSync(`${path}-shm`);
  await disk.protect();
  const { write, read } = await openLeft(disk);
  expect(await read()).toMatchObject(KEY);
  temporary.fill();
  await expect(write()).rejects.toMatchObject({ trouble: "unwritable" });
  for (const _ of [1, 2])
    await expect(read()).rejects.toMatchObject({ name: "StoreUnavailableError", trouble: "full" });
  await expect(write()).rejects.toMatchObject({ trouble: "unwritable" });
  temporary.free();
  expect(await read()).toMatchObject(KEY);
  await disk.unprotect();
  await write();
  expect(await read()).toMatchObject({ ...KEY, lastUsedTime: 5 });
});

test("a read goes on over a try to open the database again", async () => {
  const { disk } = await leftData("empty");
  await disk.protect();
  const { storage, write } = await openLeft(disk);
  let tries = 0;
  const found = await storage.database.read(async (db) => {
    const names = await db.selectFrom("access_key").select("access_key_id").execute();
    tries += 1;
    if (tries === 1) await expect(write()).rejects.toMatchObject({ trouble: "unwritable" });
    return [...names, ...(await db.selectFrom("access_key").select("access_key_id").execute())];
  });
  expect(found).toEqual([{ access_key_id: "A" }, { access_key_id: "A" }]);
});

test("tries to open a database on a full disk leave no file open", async () => {
  const { disk, path } = await leftData("empty");
  disk.fill();
  const { write, read } = await openLeft(disk);
  const filesOf = async () => {
    await expect(write()).rejects.toMatchObject({ trouble: "full" });
    expect(await read()).toMatchObject(KEY);
    return openFilesBelow(path).toSorted();
  };
  const first = await filesOf();
  for (let count = 0; count < 5; count += 1) expect(await filesOf()).toEqual(first);
});

test.each(["stopped", "killed"] as const)(
  "a server that was %s starts on a disk that is now read-only: streams of known keys run, and it heals",
  async (end) => {
    const stage = await Stage.open();
    const disk = await SmallDisk.mount(join(stage.folder, "data"));
    const target = await stage.target();
    const { api, fanfare } = await stage.server();
    const channel = await api.createChannel("read_only", [{ rtmpUrl: target.url, streamKey: uniqueKey("read") }]);
    if (end === "stopped") await fanfare.stop();
    else await fanfare.kill();
    await disk.protect();

    await fanfare.restart();
    expect(await fanfare.readiness()).toMatch(/^503 /);
    await expectStream(stage, channel, target);

    await disk.unprotect();
    await expect.poll(() => fanfare.readiness()).toBe("200 ok\n");
    await api.createChannel("taken", [{ rtmpUrl: target.url, streamKey: uniqueKey("yes") }]);
    expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  },
);
