import { test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { uniqueKey } from "../../support/stages/stage.ts";
import { failedUpgrade, UpgradeStage } from "../../support/stages/upgrade-stage.ts";
import { gapsIn } from "../../support/streams/looped-stream.ts";

const DEADLINE_MS = 60_000;
/** Five times what is promised: this machine is busy. */
const API_GAP_MS_MAX = 10_000;
const events = z.array(z.looseObject({ eventCode: z.string() }));
const reports = z.array(z.looseObject({ startTime: z.number() }));

async function codesOf({ api, channel }: UpgradeStage): Promise<string[]> {
  const found = await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/events?pageSizeNo=100`);
  return events
    .parse(found)
    .map(({ eventCode }) => eventCode)
    .filter((code) => /^(PUBLISH|INGEST)_/.test(code))
    .reverse();
}

test.concurrent("a newer process takes over: targets keep their connections and get every frame, and the broadcast stays one", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await UpgradeStage.open(onTestFinished);
  const { api, channel, targets, clip } = stage;
  const platforms = `/api/v2/re-stream/channels/${channel.channelId}/platforms`;
  const encoder = await stage.publish();
  // A channel that is off air by the time of the upgrade: its thread of the old process owns it still.
  const other = await stage.stage.target();
  const offAir = await api.createChannel("off_air", [{ rtmpUrl: other.url, streamKey: uniqueKey("off-air") }]);
  const first = stage.stage.kitEncoder(offAir, { clip: syntheticClip() });
  await waitFor("its first broadcast", DEADLINE_MS, () => other.connections[0]?.report.mediaBytes || undefined);
  await first.stop("clean");
  const before = await api.channel(channel.channelId);
  const { older, gapMs } = await stage.upgrade();
  expect(gapMs).toBeLessThan(API_GAP_MS_MAX);
  expect(stage.fanfare.output).toContain("took over from an earlier process");
  // The new process shows the broadcast as the old one did, and counts on.
  const after = await api.channel(channel.channelId);
  expect([after.isPublishing, after["recentPublishStartTime"]]).toEqual([true, before["recentPublishStartTime"]]);
  const metrics = await (await fetch(`${stage.fanfare.origin}/metrics`)).text();
  expect(metrics).toContain("\nfanfare_channels_on_air 1\n");
  expect(metrics.match(/^fanfare_target_state\{.*state="PUBLISHING"\} 1$/gm)).toHaveLength(2);
  const [platform] = await api.platforms(channel.channelId);
  await stage.moreMedia(1_000_000);
  await expect
    .poll(async () => (await api.platforms(channel.channelId))[0]?.bytesTotalTrans ?? 0, { timeout: DEADLINE_MS })
    .toBeGreaterThan((platform?.bytesTotalTrans ?? 0) + 300_000);
  for (const { connections } of targets) {
    const messages = connections[0]?.report.messages ?? [];
    expect(gapsIn(messages, clip)).toEqual([]);
    expect(messages.length).toBeGreaterThan(200);
  }
  expect(stage.connections).toEqual([
    [1, 1],
    [1, 1],
  ]);
  // An edit reaches the old process: the target is left, and dialled again.
  const [, second] = await api.platforms(channel.channelId);
  await api.request("PUT", `${platforms}/${second?.platId}/off`);
  await expect.poll(() => stage.connections[1]).toEqual([1, 0]);
  await api.request("PUT", `${platforms}/${second?.platId}/on`);
  await expect.poll(() => stage.connections[1], { timeout: DEADLINE_MS }).toEqual([2, 1]);
  // An encoder that comes back reaches the new process, and through it the targets that the old one holds.
  encoder.kill("SIGKILL");
  await expect.poll(() => codesOf(stage), { timeout: DEADLINE_MS }).toEqual(["PUBLISH_START", "INGEST_HELD"]);
  const returned = await stage.publish();
  await expect
    .poll(() => codesOf(stage), { timeout: DEADLINE_MS })
    .toEqual(["PUBLISH_START", "INGEST_HELD", "INGEST_RESUMED"]);
  expect(stage.connections).toEqual([
    [1, 1],
    [2, 1],
  ]);
  // The last broadcast of the old process ends, and so does the process. A channel that was off air is the new one's.
  stage.stage.kitEncoder(offAir, { clip: syntheticClip() });
  await waitFor("its second broadcast", DEADLINE_MS, () => other.connections[1]?.report.mediaBytes || undefined);
  returned.kill("SIGINT");
  expect(await older.exited).toEqual({ code: 0, signal: null });
  expect(other.connections.map(({ report }) => report.state)).toEqual(["ended", "open"]);
  // What happens is stored a moment later.
  const lastCode = async () => (await codesOf(stage)).at(-1);
  await expect.poll(lastCode, { timeout: DEADLINE_MS }).toBe("PUBLISH_END");
  // One process tells of the broadcast at a time.
  const isToldIn = (output: string) => output.includes('"event":"ingest held"');
  expect([older.stdout(), stage.fanfare.stdout].map(isToldIn)).toEqual([false, true]);
  const stored = async () =>
    reports.parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/reports`));
  await expect.poll(stored, { timeout: DEADLINE_MS }).toMatchObject([{ startTime: after["recentPublishStartTime"] }]);
  // The next broadcast is the new process's own.
  await stage.publish();
  await expect.poll(lastCode, { timeout: DEADLINE_MS }).toBe("PUBLISH_START");
});

test.concurrent("a process that dies before it took over, or afterwards, costs no frame, and another goes on with the broadcast", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await UpgradeStage.open(onTestFinished);
  const { api, channel, fanfare, targets, clip } = stage;
  await stage.publish();
  // One that fails with the database in its hands: the old process takes everything back.
  await failedUpgrade(fanfare, async () => {
    await expect(api.channel(channel.channelId)).rejects.toThrow("503");
    await stage.moreMedia(100_000);
  });
  await expect
    .poll(() => api.channel(channel.channelId).catch(() => undefined), { timeout: DEADLINE_MS })
    .toMatchObject({ isPublishing: true });
  await api.createChannel("taken_back", [{ rtmpUrl: stage.targets[0]?.url ?? "", streamKey: "unused" }]);
  await expect.poll(async () => (await codesOf(stage)).at(-1), { timeout: DEADLINE_MS }).toBe("PUBLISH_START");
  const { older } = await stage.upgrade();
  await fanfare.kill();
  await stage.moreMedia(300_000);
  await fanfare.restart();
  expect(fanfare.output).toContain("broadcasts of an earlier process go on");
  const statuses = async () => (await api.platforms(channel.channelId)).map(({ connectStatus }) => connectStatus);
  await expect.poll(statuses, { timeout: DEADLINE_MS }).toEqual(["PUBLISHING", "PUBLISHING"]);
  // Three processes at once are enough.
  const { older: second } = await stage.upgrade();
  await stage.moreMedia(300_000);
  for (const { connections } of targets) {
    const messages = connections[0]?.report.messages ?? [];
    expect(gapsIn(messages, clip)).toEqual([]);
    expect(messages.length).toBeGreaterThan(200);
  }
  expect(stage.connections).toEqual([
    [1, 1],
    [1, 1],
  ]);
  expect(await second.exited).toEqual({ code: 0, signal: null });
  // SIGTERM ends the whole server.
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
  expect(await older.exited).toEqual({ code: 0, signal: null });
  await waitFor(
    "the targets to be left",
    DEADLINE_MS,
    () => stage.connections.every(([, open]) => open === 0) || undefined,
  );
});
