import { expect, test } from "vitest";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { Platform } from "../../support/dashboard/api-client.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** A server itself has some forty. */
const DESCRIPTORS = 80;
const TARGETS = 60;
const DEADLINE_MS = 20_000;

test("more platforms than descriptors: those that find none blame this server, the API and encoders still get in, and all of it is reported", async () => {
  const stage = await Stage.open();
  const target = await stage.target();
  const { api, fanfare } = await stage.server({
    wrapper: ["prlimit", `--nofile=${DESCRIPTORS}`],
    environment: { FANFARE_PLAN_LIMITS: "PROFESSIONAL=0" },
  });
  const keys = Array.from({ length: TARGETS }, (_, index) => ({
    rtmpUrl: target.url,
    streamKey: `descriptor-${index}`,
  }));
  const channel = await api.createChannel("descriptors", keys);
  stage.kitEncoder(channel, { clip: syntheticClip({ kilobits: 100 }) });

  // One that fails tries again, so not all of them show an outcome at the same moment.
  const outcomes = new Map<number, Platform>();
  await waitFor("every platform to be tried", DEADLINE_MS, async () => {
    for (const [index, platform] of (await api.platforms(channel.channelId)).entries()) {
      if (["PUBLISHING", "FAIL"].includes(platform.connectStatus)) outcomes.set(index, platform);
    }
    return outcomes.size === TARGETS || undefined;
  });
  const failed = [...outcomes.values()].filter(({ connectStatus }) => connectStatus === "FAIL");
  expect(failed.length).toBeGreaterThan(0);
  expect(failed.length).toBeLessThan(TARGETS);
  expect(new Set(failed.map(({ lastError }) => lastError?.code))).toEqual(new Set(["SERVER_TROUBLE"]));
  expect(failed[0]?.lastError?.message).toMatch(/^This server, not the platform, is the cause: .*file descriptor/);
  // Each on a connection of its own.
  for (let count = 0; count < 8; count += 1) {
    const answer = await fetch(`${fanfare.origin}/readyz`, { headers: { connection: "close" } });
    expect([answer.status, await answer.text()]).toEqual([503, expect.stringMatching(/no file descriptors left/)]);
  }
  const second = await api.createChannel("newcomer", [{ rtmpUrl: target.url, streamKey: "newcomer-key" }]);
  const newcomer = await stage.ffmpeg(await makeClip({ seconds: 3 }), publishUrl(second));
  expect(await newcomer.exited, newcomer.stderr()).toEqual({ code: 0, signal: null });
  // A busy machine may have other troubles too.
  const lines = fanfare.output.split("\n").filter((line) => /"event":"server trouble"/.test(line));
  expect(lines.filter((line) => line.includes('"trouble":"descriptors"'))).toEqual([expect.anything()]);
});
