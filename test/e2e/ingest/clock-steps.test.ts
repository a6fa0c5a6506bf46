import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { Platform } from "../../support/dashboard/api-client.ts";
import { LiveClient } from "../../support/dashboard/live-client.ts";
import { ROOT } from "../../support/processes/fanfare-process.ts";
import { freePort } from "../../support/processes/free-port.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";

const DAYS_400_MS = 400 * 24 * 60 * 60 * 1_000;
const DEADLINE_MS = 20_000;
/** Until then every thread has read that the clock will be set. */
const SET_IN_MS = 500;
/** The whole test takes less; a step is very much more. */
const MINUTE_MS = 60_000;

test("a server whose clock is set by 400 days, forward and back, on air ends nothing, and running times stay right", async () => {
  const stage = await Stage.open();
  const file = join(stage.folder, "clock");
  let beforeMs = 0;
  const set = (aheadMs: number) => {
    const atMs = Number(process.hrtime.bigint()) / 1e6 + SET_IN_MS;
    writeFileSync(`${file}.new`, `${aheadMs} ${beforeMs} ${atMs}`);
    // A thread must not read a part of it.
    renameSync(`${file}.new`, file);
    beforeMs = aheadMs;
  };
  set(0);
  const preload = pathToFileURL(join(ROOT, "test", "support", "stages", "stepping-clock.mjs"));
  const { fanfare, api, credentials } = await stage.server({
    environment: { NODE_OPTIONS: `--import=${preload}`, FANFARE_TEST_CLOCK_FILE: file },
  });
  const get = async (path: string) => {
    // A signature has its time; the secret itself has none.
    const headers = { Authorization: `Bearer ${credentials.secretKey}` };
    const answer = await fetch(`${fanfare.origin}/api/v2/re-stream/channels/${path}`, { headers });
    return ((await answer.json()) as { content: ReturnType<typeof JSON.parse> }).content;
  };
  const target = await stage.target();
  const channel = await api.createChannel("stepped", [
    { rtmpUrl: `rtmp://127.0.0.1:${target.port}/live`, streamKey: uniqueKey("a") },
    { rtmpUrl: `rtmp://127.0.0.1:${await freePort()}/live`, streamKey: uniqueKey("refused") },
  ]);
  const live = await LiveClient.open(fanfare.origin, api.signedHeaders("GET", LiveClient.TARGET));
  stage.onClose(async () => live.close());
  const beganMs = performance.now();
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip() });
  const platforms = (): Promise<Platform[]> => get(`${channel.channelId}/platforms`);
  await expect.poll(async () => (await platforms())[0]?.connectStatus, { timeout: DEADLINE_MS }).toBe("PUBLISHING");
  const { connections } = target;
  const stepsLogged = () => fanfare.output.match(/"clock set"/g)?.length;

  for (const [index, aheadMs] of [DAYS_400_MS, -DAYS_400_MS, 0].entries()) {
    set(aheadMs);
    await expect.poll(stepsLogged, { timeout: DEADLINE_MS }).toBe(index + 1);
    const isNear = (time: unknown) => Math.abs(Number(time) - (Date.now() + aheadMs)) < MINUTE_MS;
    // The server sends it without a request.
    await live.until(
      `times of a clock that is ${aheadMs} ms ahead`,
      ({ name, data }) => name === "channel" && data.isPublishing === true && isNear(data.recentPublishStartTime),
    );
    const [well, refused] = await platforms();
    expect(well).toMatchObject({ connectStatus: "PUBLISHING", totalRetryCount: 0 });
    expect([isNear(well?.["connectStatusTime"]), isNear(refused?.["connectStatusTime"])]).toEqual([true, true]);
    expect(isNear(refused?.["nextRetryTime"] ?? Date.now() + aheadMs)).toBe(true);
    const onAirMs = Number(well?.totalPlaySecond) * 1_000;
    expect(onAirMs).toBeLessThanOrEqual(performance.now() - beganMs);
  }
  expect(connections).toHaveLength(1);

  await encoder.stop("clean");
  const reports = async () => await get(`${channel.channelId}/reports`);
  await expect.poll(async () => (await reports()).length, { timeout: DEADLINE_MS }).toBe(1);
  const [report] = await reports();
  expect(report.durationSeconds).toBeLessThanOrEqual(Math.ceil((performance.now() - beganMs) / 1_000));
  expect(report.endTime - report.startTime).toBeLessThan(MINUTE_MS);
  // Retries went on meanwhile, and nothing counted as old.
  expect((await platforms())[1]?.totalRetryCount).toBeGreaterThan(0);
  const codes = (await get(`${channel.channelId}/events`)).map(({ eventCode }: { eventCode: string }) => eventCode);
  expect(codes).toContain("STREAM_RESERVE");
  expect(codes).toContain("PUBLISH_START");
});
