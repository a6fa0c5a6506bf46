import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import { runToEnd } from "../../support/processes/children.ts";
import { fillDisk, mountSmallDisk } from "../../support/processes/small-disk.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** A second at least lies between two tries to write. */
const HEALED_MS_MAX = 10_000;

test.each(["stopped", "killed"] as const)(
  "a start on a full disk, the server having been %s: streams of known keys run, writes are refused, and it heals when there is room",
  async (end) => {
    const stage = await Stage.open();
    const folder = join(stage.folder, "data");
    mkdirSync(folder);
    await mountSmallDisk(folder);
    const target = await stage.target();
    const { api, fanfare } = await stage.server();
    const channel = await api.createChannel("full_start", [{ rtmpUrl: target.url, streamKey: uniqueKey("full") }]);
    if (end === "stopped") await fanfare.stop();
    else await fanfare.kill();
    fillDisk(join(folder, "filler"));

    await fanfare.restart();
    const readyz = async () => {
      const answer = await fetch(`${fanfare.origin}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    };
    expect(await readyz()).toMatch(/^503 .*The disk of the database is full\./);
    expect(fanfare.output).toMatch(/"what":"set-up link",.*"event":"not stored at this start"/);
    expect((await api.channel(channel.channelId)).streamKey).toBe(channel.streamKey);
    await expect(api.createChannel("refused", [{ rtmpUrl: target.url, streamKey: uniqueKey("no") }])).rejects.toThrow(
      "The disk of the database is full.",
    );
    const encoder = await stage.ffmpeg(await makeClip({ seconds: 3 }), publishUrl(channel), { loops: true });
    await expect.poll(() => target.connections[0]?.report.mediaBytes).toBeGreaterThan(100_000);
    expect(encoder.isRunning(), encoder.stderr()).toBe(true);
    encoder.kill("SIGINT");
    await encoder.exited;

    rmSync(join(folder, "filler"));
    await waitFor("it to heal", HEALED_MS_MAX, async () => ((await readyz()) === "200 ok\n" ? true : undefined));
    await api.createChannel("taken", [{ rtmpUrl: target.url, streamKey: uniqueKey("yes") }]);
    expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  },
);

test("a first start on a full disk says so, and the next start is still a first one", async () => {
  const stage = await Stage.open();
  const folder = join(stage.folder, "data");
  mkdirSync(folder);
  await mountSmallDisk(folder);
  fillDisk(join(folder, "filler"));
  await expect(openStorage({ dataDir: folder })).rejects.toThrow(/^the disk of the database .*fanfare\.db is full /);
  rmSync(join(folder, "filler"));
  const storage = await openStorage({ dataDir: folder });
  expect(storage.unwritableBecause).toBeUndefined();
  await storage.close();
});

test.each(["empty", "full"] as const)(
  "a start on a read-only file system, with an %s write-ahead log: everything is read, nothing is written, and it heals",
  async (log) => {
    const stage = await Stage.open();
    const folder = join(stage.folder, "data");
    mkdirSync(folder);
    await mountSmallDisk(folder);
    const path = join(folder, "fanfare.db");
    const before = await openStorage({ dataDir: folder });
    const key = { accessKeyId: "A", secretKey: "a secret", role: "manager", name: "", createdTime: 1 } as const;
    await before.store.putAccessKey(key);
    // A copy made now is what a killed server leaves.
    const kept = join(stage.folder, "kept");
    mkdirSync(kept);
    if (log === "full") await runToEnd("cp", ["-a", path, `${path}-wal`, `${path}-shm`, kept]);
    await before.close();
    if (log === "full") await runToEnd("cp", ["-a", `${kept}/.`, folder]);
    await runToEnd("mount", ["-o", "remount,ro", folder]);

    const storage = await openStorage({ dataDir: folder });
    onTestFinished(() => storage.close());
    expect(storage.unwritableBecause).toMatch(/^the database .*fanfare\.db cannot be opened for writing /);
    expect(await storage.store.findAccessKey("A")).toMatchObject(key);
    const write = () => storage.store.markAccessKeyUsed("A", 5);
    await expect(write()).rejects.toMatchObject({ trouble: "unwritable", path });

    await runToEnd("mount", ["-o", "remount,rw", folder]);
    const healed: string[] = [];
    storage.database.watch(({ kind }) => healed.push(kind));
    await waitFor("a write", HEALED_MS_MAX, () =>
      write().then(
        () => true,
        () => undefined,
      ),
    );
    expect(healed).toEqual(["writable"]);
    expect(await storage.store.findAccessKey("A")).toMatchObject({ ...key, lastUsedTime: 5 });
    // From now on it is in use as any other.
    await expect(openStorage({ dataDir: folder })).rejects.toThrow("another Fanfare server uses the data folder");
  },
);

test.each(["stopped", "killed"] as const)(
  "a server that was %s starts on a disk that is now read-only: streams of known keys run, and it heals",
  async (end) => {
    const stage = await Stage.open();
    const folder = join(stage.folder, "data");
    mkdirSync(folder);
    await mountSmallDisk(folder);
    const target = await stage.target();
    const { api, fanfare } = await stage.server();
    const channel = await api.createChannel("read_only", [{ rtmpUrl: target.url, streamKey: uniqueKey("read") }]);
    if (end === "stopped") await fanfare.stop();
    else await fanfare.kill();
    await runToEnd("mount", ["-o", "remount,ro", folder]);

    await fanfare.restart();
    const readyz = async () => (await fetch(`${fanfare.origin}/readyz`)).status;
    expect(await readyz()).toBe(503);
    const encoder = await stage.ffmpeg(await makeClip({ seconds: 3 }), publishUrl(channel), { loops: true });
    await expect.poll(() => target.connections[0]?.report.mediaBytes).toBeGreaterThan(100_000);
    expect(encoder.isRunning(), encoder.stderr()).toBe(true);
    encoder.kill("SIGINT");
    await encoder.exited;

    await runToEnd("mount", ["-o", "remount,rw", folder]);
    await waitFor("it to heal", HEALED_MS_MAX, async () => ((await readyz()) === 200 ? true : undefined));
    await api.createChannel("taken", [{ rtmpUrl: target.url, streamKey: uniqueKey("yes") }]);
    expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  },
);
