import { test } from "vitest";
import { z } from "zod";
import type { Child } from "../../support/processes/children.ts";
import { UpgradeStage } from "../../support/stages/upgrade-stage.ts";

const DEADLINE_MS = 60_000;
const files = z.array(z.looseObject({ state: z.string(), endReason: z.string().optional() }));
const events = z.array(z.looseObject({ eventCode: z.string(), reason: z.string().optional() }));
const recording = z.looseObject({ status: z.string(), reason: z.looseObject({ code: z.string() }).optional() });

test.concurrent("a recording ends with an upgrade, which is told once, and the channel is recorded again from its next broadcast on", async ({
  onTestFinished,
  expect,
}) => {
  const stage = await UpgradeStage.open(onTestFinished);
  const { api, channel } = stage;
  const path = `/api/v2/re-stream/channels/${channel.channelId}`;
  const status = async () => {
    const { status: now, reason } = recording.parse((await api.channel(channel.channelId))["recording"]);
    return reason === undefined ? now : `${now} ${reason.code}`;
  };
  const recorded = async () => {
    const found = files.parse(await api.request("GET", `/api/v2/re-stream/recordings?channelId=${channel.channelId}`));
    return found.map(({ state, endReason }) => endReason ?? state);
  };
  const told = async () => {
    const found = events.parse(await api.request("GET", `${path}/events?pageSizeNo=100`));
    return found
      .filter(({ eventCode }) => eventCode.startsWith("RECORDING_"))
      .map(({ eventCode, reason = "" }) => `${eventCode} ${reason}`.trim())
      .reverse();
  };
  await api.request("PUT", path, { recording: { enabled: true } });
  const encoder = await stage.publish();
  await expect.poll(status, { timeout: DEADLINE_MS }).toBe("RECORDING");

  const ended = ["RECORDING_START", "RECORDING_FAIL SERVER_UPGRADED"];
  const olders: Child[] = [];
  for (const _ of ["first", "second"]) {
    const { older } = await stage.upgrade();
    olders.push(older);
    await expect.poll(status, { timeout: DEADLINE_MS }).toBe("FAIL SERVER_UPGRADED");
    await expect.poll(told, { timeout: DEADLINE_MS }).toEqual(ended);
    // The new process has its list of files only some time after it is ready.
    await expect.poll(recorded, { timeout: DEADLINE_MS }).toEqual(["SERVER_UPGRADED"]);
  }
  encoder.kill("SIGINT");
  await expect.poll(status, { timeout: DEADLINE_MS }).toBe("READY");
  // Until a channel has been off air for some seconds, its next broadcast is the old process's too.
  for (const { exited } of olders) expect(await exited).toEqual({ code: 0, signal: null });
  await stage.publish();
  await expect.poll(status, { timeout: DEADLINE_MS }).toBe("RECORDING");
  await expect.poll(told, { timeout: DEADLINE_MS }).toEqual([...ended, "RECORDING_START"]);
  const sorted = async () => (await recorded()).toSorted();
  await expect.poll(sorted, { timeout: DEADLINE_MS }).toEqual(["RECORDING", "SERVER_UPGRADED"]);
});
