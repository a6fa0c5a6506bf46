import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openStorage } from "../../../src/app/data-folder/storage.ts";
import { newChannel } from "../../store/suites/store-suite-data.ts";
import { runFanfare, runHere } from "../../support/processes/fanfare-command.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

const TARGET = { rtmpUrl: "rtmp://live.example.com/app", streamKey: "target-key-1b2c3d" };
const CHANNELS = "/api/v2/re-stream/channels";

test.concurrent("a backup of a server at work is restored whole, with channels, keys and access keys, and only where no server runs", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api, fanfare } = await stage.server();
  const dataFolder = join(stage.folder, "data");
  const flags = ["--data-dir", dataFolder];
  const backup = join(stage.folder, "backup");
  const kept = await api.createChannel("in_backup", [TARGET]);

  // Writes go on while it is made.
  const [made, during] = await Promise.all([
    runFanfare(["backup", backup, ...flags]),
    api.createChannel("meanwhile", [TARGET]),
  ]);
  expect(made).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining(`are in ${backup}.`) });
  expect(readdirSync(backup).sort()).toEqual(["encryption.key", "fanfare.db"]);
  for (const name of readdirSync(backup)) expect(statSync(join(backup, name)).mode & 0o777).toBe(0o600);
  expect(statSync(backup).mode & 0o777).toBe(0o700);
  const again = await runHere(["backup", backup, ...flags]);
  expect(again).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/backup is there already: name a/),
  });

  await api.request("DELETE", `${CHANNELS}/${kept.channelId}`);
  const later = await api.createChannel("after_backup", [TARGET]);
  const refused = await runFanfare(["restore", backup, ...flags]);
  expect(refused).toMatchObject({
    code: 1,
    stdout: "",
    stderr: `fanfare: a Fanfare server uses the data folder ${dataFolder}: stop it first.\n`,
  });
  expect((await api.channel(later.channelId)).channelName).toBe("after_backup");

  await fanfare.kill();
  const restored = await runFanfare(["restore", backup, ...flags]);
  expect(restored).toMatchObject({ code: 0, stderr: "" });
  const [aside = ""] = /\S+before-restore-\d+/.exec(restored.stdout) ?? [];
  expect(readdirSync(aside)).toEqual(expect.arrayContaining(["encryption.key", "fanfare.db"]));
  await fanfare.restart();
  const found = await api.channels();
  expect(found.find(({ channelId }) => channelId === kept.channelId)?.streamKey).toBe(kept.streamKey);
  expect(found.map(({ channelId }) => channelId)).not.toContain(later.channelId);
  expect([kept.channelId, during.channelId]).toEqual(expect.arrayContaining(found.map(({ channelId }) => channelId)));
  expect(await api.platforms(kept.channelId)).toMatchObject([TARGET]);
  await api.createChannel("life_goes_on", [TARGET]);
});

/** Makes a data folder with one channel, as a server leaves it. Returns how to read the channel's key there. */
async function folderWithChannel(dataDir: string) {
  const storage = await openStorage({ dataDir });
  const { channelId, streamKey } = await storage.store.createChannel(newChannel(1));
  await storage.close();
  const keyNow = async () => {
    const again = await openStorage({ dataDir });
    const channel = await again.store.findChannel(channelId);
    await again.close();
    return channel?.streamKey;
  };
  return { channelId, streamKey, keyNow };
}

test.concurrent("a file that is no backup, or a damaged one, is refused and changes nothing", async ({
  onTestFinished,
}) => {
  const { folder } = await Stage.open(onTestFinished);
  const flags = ["--data-dir", join(folder, "data")];
  const { streamKey, keyNow } = await folderWithChannel(join(folder, "data"));
  const backup = join(folder, "backup");
  expect((await runHere(["backup", backup, ...flags])).code).toBe(0);

  const problem = async (): Promise<string> => {
    const { code, stderr } = await runHere(["restore", backup, ...flags]);
    expect(code).toBe(1);
    return stderr;
  };
  const keyFile = join(backup, "encryption.key");
  renameSync(keyFile, `${keyFile}.away`);
  expect(await problem()).toMatch(/backup is not a backup: it must hold fanfare\.db and encryption\.key\.\n$/);
  await folderWithChannel(join(folder, "other"));
  renameSync(join(folder, "other", "encryption.key"), keyFile);
  expect(await problem()).toMatch(/lacks the key [0-9a-f]{8} /);
  renameSync(`${keyFile}.away`, keyFile);
  const database = join(backup, "fanfare.db");
  truncateSync(database, statSync(database).size / 2);
  expect(await problem()).toMatch(/is no intact database: /);
  expect(await keyNow()).toBe(streamKey);
});

test.concurrent("a missing and a wrong key file stop the start with one sentence, and with the right one it starts", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const dataFolder = join(stage.folder, "data");
  const { channelId, streamKey } = await folderWithChannel(dataFolder);
  const keyFile = join(dataFolder, "encryption.key");
  const start = () =>
    runFanfare(["--data-dir", dataFolder, "--http-port", "0", "--rtmp-port", "0"], { FANFARE_LOG_LEVEL: "silent" });

  renameSync(keyFile, `${keyFile}.away`);
  expect(await start()).toEqual({
    code: 1,
    stdout: "",
    stderr:
      `fanfare: the encryption key file ${keyFile} is missing, and the secrets in the database do not open without it: ` +
      "put back your copy of it (a backup has one too), or name it with FANFARE_ENCRYPTION_KEY_FILE.\n",
  });
  expect(existsSync(keyFile)).toBe(false);
  await folderWithChannel(join(stage.folder, "other"));
  renameSync(join(stage.folder, "other", "encryption.key"), keyFile);
  expect(await start()).toMatchObject({
    code: 1,
    stdout: "",
    stderr: expect.stringMatching(/^.* lacks the key .*\n$/),
  });
  rmSync(keyFile);
  renameSync(`${keyFile}.away`, keyFile);
  const { api } = await stage.server();
  expect((await api.channel(channelId)).streamKey).toBe(streamKey);
});

test.concurrent("a key rotation on air loses nothing of the stream, and the old key can go", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api, fanfare } = await stage.server();
  const flags = ["--data-dir", join(stage.folder, "data")];
  const keyFile = join(stage.folder, "data", "encryption.key");
  const key = uniqueKey("rotated");
  const channel = await api.createChannel("rotated", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const clip = await makeClip(ONE_GROUP);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  const oldText = readFileSync(keyFile, "utf8");

  expect(await runFanfare(["rotate-key", ...flags])).toMatchObject({ code: 0, stderr: "" });
  expect(readFileSync(keyFile, "utf8").match(/^[0-9a-f]{8} /gm)).toHaveLength(2);
  expect(await runHere(["rotate-key", "--drop-old", ...flags])).toMatchObject({
    code: 0,
    stdout: expect.stringContaining(/^([0-9a-f]{8}) /m.exec(oldText)?.[1] ?? "no id"),
  });
  expect(readFileSync(keyFile, "utf8").match(/^[0-9a-f]{8} /gm)).toHaveLength(1);
  expect((await api.channel(channel.channelId)).streamKey).toBe(channel.streamKey);
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });
  expect((await expectSentPackets(nginx, key, clip.path)).framesSkipped).toBe(0);

  // And where no server runs the command does it all by itself.
  await fanfare.stop();
  expect(await runHere(["rotate-key", ...flags])).toMatchObject({ code: 0, stderr: "" });
  expect(await runHere(["rotate-key", "--drop-old", ...flags])).toMatchObject({ code: 0, stderr: "" });
  const storage = await openStorage({ dataDir: join(stage.folder, "data") });
  expect((await storage.store.findChannel(channel.channelId))?.streamKey).toBe(channel.streamKey);
  await storage.close();
});

test.concurrent("two servers do not share a data folder, and a command with wrong arguments prints its usage", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  await stage.server();
  const dataFolder = join(stage.folder, "data");
  const second = await runFanfare(["--data-dir", dataFolder, "--http-port", "0", "--rtmp-port", "0"], {
    FANFARE_LOG_LEVEL: "silent",
  });
  expect(second).toEqual({
    code: 1,
    stdout: "",
    stderr: `fanfare: another Fanfare server uses the data folder ${dataFolder}: stop it, or give this one its own with FANFARE_DATA_DIR.\n`,
  });
  const anyPorts = { FANFARE_HTTP_PORT: "0", FANFARE_RTMP_PORT: "0" };
  const healthy = await runFanfare(["doctor", "--data-dir", dataFolder], anyPorts);
  expect(healthy).toMatchObject({ code: 0, stderr: "" });
  expect(healthy.stdout).toContain(
    `ok       ${dataFolder}/fanfare.db: every page, row and index is intact.\nok       ${dataFolder}/encryption.key: opens every secret.\nok       /usr/bin/ffmpeg and /usr/bin/ffprobe: files can be played.\n`,
  );
  const none = await runFanfare(["doctor", "--data-dir", stage.folder], anyPorts);
  expect(none.code).toBe(1);
  expect(none.stdout).toContain(
    `failed   there is no database in ${stage.folder}: name the data folder with --data-dir.\n`,
  );
  const usage = "usage: fanfare backup FOLDER [--data-dir FOLDER] [--encryption-key-file FILE]";
  expect(await runHere(["backup"])).toEqual({ code: 2, stdout: "", stderr: `fanfare: ${usage}\n` });
  expect(await runHere(["backup", "x", "--fast"])).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(usage),
  });
  expect(await runFanfare(["bakcup", "x"])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: expect.stringMatching(
      /^fanfare: "bakcup" is not a command; the commands are apply, backup, channels, .*, upgrade\.\n$/,
    ),
  });
  const empty = await runHere(["backup", join(stage.folder, "b"), "--data-dir", join(stage.folder, "none")]);
  expect(empty).toMatchObject({ code: 1, stderr: expect.stringMatching(/there is no database in .*none: name the/) });
});
