import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { SmallDisk } from "../../support/processes/small-disk.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { failedUpgrade } from "../../support/stages/upgrade-stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { moreMedia } from "../../support/targets/more-media.ts";

const DEADLINE_MS = 60_000;
const events = z.array(z.looseObject({ eventCode: z.string() }));
const reports = z.array(z.looseObject({ startTime: z.number(), endTime: z.number() }));

test("a server that started on a full disk goes on after an upgrade that fails, is upgraded, and the new one heals", async () => {
  const stage = await Stage.open();
  const disk = await SmallDisk.mount(join(stage.folder, "data"));
  const target = await stage.target();
  const { api, fanfare } = await stage.server();
  const { channelId, ...channel } = await api.createChannel("full_upgrade", [
    { rtmpUrl: target.url, streamKey: uniqueKey("full") },
  ]);
  await fanfare.stop();
  disk.fill();
  await fanfare.restart();
  const encoder = await stage.ffmpeg(await makeClip({ seconds: 3 }), publishUrl({ channelId, ...channel }), {
    loops: true,
  });
  const more = () =>
    moreMedia(
      () => [target.connections[0]?.report.mediaBytes ?? 0],
      100_000,
      () => fanfare.output,
    );
  await more();
  const isAnswered = () =>
    api.channel(channelId).then(
      ({ isPublishing }) => isPublishing || undefined,
      () => undefined,
    );

  await failedUpgrade(fanfare, () => expect(api.channel(channelId)).rejects.toThrow("503"));
  await waitFor("the API to answer again", DEADLINE_MS, isAnswered, () => fanfare.output);

  const older = await fanfare.upgrade();
  expect((await api.channel(channelId)).isPublishing).toBe(true);
  expect(await fanfare.readiness()).toMatch(/^503 .*The disk of the database is full\./);
  await more();
  disk.free();
  await waitFor("the new process to heal", DEADLINE_MS, async () =>
    (await fanfare.readiness()) === "200 ok\n" ? true : undefined,
  );
  await api.createChannel("taken", [{ rtmpUrl: target.url, streamKey: uniqueKey("yes") }]);
  expect(target.connections.map(({ report }) => report.state)).toEqual(["open"]);
  encoder.kill("SIGINT");
  expect(await older.exited).toEqual({ code: 0, signal: null });
  // What the old process could not store came to the new one, which has stored it once.
  const path = `/api/v2/re-stream/channels/${channelId}`;
  const told = async () => {
    const found = events.parse(await api.request("GET", `${path}/events?pageSizeNo=100`));
    return found.map(({ eventCode }) => eventCode).filter((code) => code.startsWith("PUBLISH_"));
  };
  await expect.poll(told, { timeout: DEADLINE_MS }).toEqual(["PUBLISH_END", "PUBLISH_START"]);
  const stored = async () => reports.parse(await api.request("GET", `${path}/reports`));
  await expect.poll(stored, { timeout: DEADLINE_MS }).toHaveLength(1);
  const [{ startTime, endTime } = { startTime: 0, endTime: 0 }] = await stored();
  // Whole seconds; both processes count to the moment of the handover.
  const counted = async () => (await api.channel(channelId))["totalPublishSeconds"];
  const seconds = Math.round((endTime - startTime) / 1_000);
  await expect.poll(counted, { timeout: DEADLINE_MS }).toSatisfy((value) => Math.abs(Number(value) - seconds) <= 1);
  expect(await fanfare.stop()).toEqual({ code: 0, signal: null });
});
