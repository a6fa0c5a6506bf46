import { expect, test } from "vitest";
import { waitFor } from "../../support/processes/waiting.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";

/** Handshake (3073 bytes) and the commands around the media: what the target gets beside the counted bytes. */
const DIALOGUE_BYTES_MAX = 6_144;
const SAMPLE_COUNT = 4;

test("a platform's status and counters are what its target sees", async () => {
  const stage = await Stage.open();
  const clip = await makeClip({ seconds: 11 });
  const nginx = await stage.nginx();
  const proxy = await stage.proxy(nginx.port, { state: "stalled" });
  const { api } = await sharedServer(stage);
  const url = `rtmp://127.0.0.1:${proxy.port}/live`;
  const channel = await api.createChannel("live_status", [{ rtmpUrl: url, streamKey: uniqueKey("status") }]);
  const watch = stage.watch(api, channel);

  const ready = await watch.until(0, (platform) => platform.connectStatus === "READY", 5_000);
  expect(ready).toMatchObject({ bytesPerSecond: 0, bytesTotalTrans: 0, totalPlaySecond: 0, totalRetryCount: 0 });
  const startMs = performance.now();
  const encoder = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  await waitFor("the target's connection", 5_000, () => (proxy.connectionCount === 1 ? true : undefined));
  await watch.until(0, (platform) => platform.connectStatus === "CONNECTING", 2_000);
  expect(await api.channel(channel.channelId)).toMatchObject({ isPublishing: true, channelStatus: "PUBLISHING" });
  proxy.resume();
  await watch.until(0, (platform) => platform.connectStatus === "PUBLISHING", 5_000);
  expect(watch.statuses(0)).toEqual(["READY", "CONNECTING", "PUBLISHING"]);

  // After the join, which sends the cached GOP at once.
  let last = await watch.until(0, (platform) => platform.totalPlaySecond >= 3, 8_000);
  const samples: number[] = [];
  while (samples.length < SAMPLE_COUNT) {
    const before = last.totalPlaySecond;
    last = await watch.until(0, (platform) => platform.totalPlaySecond > before, 5_000);
    samples.push(last.bytesPerSecond);
  }
  // Tests on virtual time prove that a rate is exact. Here it is the rate of this stream, in bytes.
  const mean = samples.reduce((sum, sample) => sum + sample, 0) / samples.length;
  expect(mean, samples.join(", ")).toBeGreaterThan(clip.bytesPerSecond * 0.5);
  expect(mean, samples.join(", ")).toBeLessThan(clip.bytesPerSecond * 2);

  // However long that took, the whole clip goes out once.
  await watch.until(0, (platform) => platform.totalPlaySecond >= clip.seconds, 20_000);
  encoder.kill("SIGINT");
  await encoder.exited;
  await watch.until(0, (platform) => platform.connectStatus === "READY" && platform.bytesPerSecond === 0, 5_000);
  const total = await watch.until(
    0,
    (platform) => platform.bytesTotalTrans >= proxy.bytesPassed("up") - DIALOGUE_BYTES_MAX,
    5_000,
  );
  expect(total.bytesTotalTrans).toBeLessThanOrEqual(proxy.bytesPassed("up"));
  expect(total.bytesTotalTrans).toBeGreaterThan(clip.bytesPerSecond * clip.seconds * 0.95);
  expect(total.totalPlaySecond).toBeGreaterThanOrEqual(clip.seconds - 2);
  expect(total.totalPlaySecond).toBeLessThanOrEqual((performance.now() - startMs) / 1_000);
  expect(total.totalRetryCount).toBe(0);
  expect(watch.statuses(0)).toEqual(["READY", "CONNECTING", "PUBLISHING", "READY"]);
  expect(watch.errorCodes(0)).toEqual([]);
  const ended = await api.channel(channel.channelId);
  expect(ended).toMatchObject({ isPublishing: false, channelStatus: "READY" });
  expect(ended.totalPublishSeconds).toBeGreaterThanOrEqual(clip.seconds - 1);
  const reports = `/api/v2/re-stream/channels/${channel.channelId}/reports`;
  const reported = { bytesSent: total.bytesTotalTrans, onAirSeconds: expect.closeTo(total.totalPlaySecond, -1) };
  await expect.poll(() => api.request("GET", reports)).toMatchObject([{ platforms: [reported] }]);
});
