import { expect, test } from "vitest";
import { z } from "zod";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { isKeyframe } from "../../support/streams/flv-file.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";
import { expectProperStart, expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** What an event tells of a platform that settled, in order: nothing is missed, however seldom somebody looks. */
const changes = z.array(
  z
    .object({ platId: z.int().optional(), from: z.string().optional(), to: z.string().optional() })
    .extend({ eventCode: z.string(), reason: z.string().optional() }),
);

test("a killed target fails, is retried and comes back by itself, and the other one is unaffected", async () => {
  const stage = await Stage.open();
  const clip = await makeClip({ seconds: 20 });
  const [killed, healthy] = [await stage.nginx(), await stage.nginx()];
  const { api } = await sharedServer(stage);
  const [killedKey, healthyKey] = [uniqueKey("killed"), uniqueKey("healthy")];
  const channel = await api.createChannel("recovery", [
    { rtmpUrl: killed.url, streamKey: killedKey },
    { rtmpUrl: healthy.url, streamKey: healthyKey },
  ]);
  const watch = stage.watch(api, channel);
  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  await killed.waitForRecording(killedKey, (tags) => tags.filter(isKeyframe).length >= 2, 10_000);

  await killed.kill();
  const cut = await watch.until(0, (platform) => platform.connectStatus === "FAIL", 5_000);
  expect(cut.lastError?.severity).toBe("transient");
  await watch.until(0, (platform) => platform.lastError?.code === "TCP_REFUSED", 5_000);
  await watch.until(0, (platform) => platform.totalRetryCount >= 2, 8_000);

  await killed.restart();
  const back = await watch.until(0, (platform) => platform.connectStatus === "PUBLISHING", 8_000);
  expect(back.lastError).toBeUndefined();
  // Counters are a second old at most: the attempt that succeeded counts too.
  await watch.until(0, (platform) => platform.totalRetryCount >= 3, 3_000);
  expect(await encoder.exited).toEqual({ code: 0, signal: null });

  await expectSentPackets(healthy, healthyKey, clip.path);
  expect(await healthy.recordings(healthyKey)).toHaveLength(1);
  expect((await expectSentPackets(killed, killedKey, clip.path, 1)).framesSkipped).toBeGreaterThanOrEqual(100);
  // Up to its death it had got everything.
  const [before] = await killed.recordings(killedKey);
  if (before === undefined) throw new Error("no first recording");
  expectProperStart(before.tags);
  const [expected, got] = await Promise.all([packetHashes(clip.path), packetHashes(before.path)]);
  expect(got.video).toEqual(expected.video.slice(0, got.video.length));
  // An audio frame of the keyframe's own time may have been sent before it.
  const firstAudio = expected.audio.indexOf(got.audio[0] ?? "");
  expect([0, 1, 2, 3]).toContain(firstAudio);
  expect(got.audio).toEqual(expected.audio.slice(firstAudio, firstAudio + got.audio.length));

  const healthyStatuses = watch.statuses(1).filter((status) => status !== "READY" && status !== "CONNECTING");
  expect(healthyStatuses).toEqual(["PUBLISHING"]);
  expect(watch.errorCodes(1)).toEqual([]);
  expect(watch.latest(1)?.totalRetryCount).toBe(0);
  const settled = async () =>
    changes
      .parse(await api.request("GET", `/api/v2/re-stream/channels/${channel.channelId}/events?pageSizeNo=100`))
      .filter(({ eventCode, platId }) => eventCode === "SIMULCAST_STATUS_CHANGE" && platId === cut.platId)
      .map(({ from, to, reason }) => [from, to, reason].filter((word) => word !== undefined).join(" "))
      .toReversed();
  await expect
    .poll(settled)
    .toEqual([
      "READY PUBLISHING",
      expect.stringMatching(/^PUBLISHING FAIL (TCP_RESET|REMOTE_CLOSED)$/),
      "FAIL FAIL TCP_REFUSED",
      "FAIL PUBLISHING",
      "PUBLISHING READY",
    ]);
});
