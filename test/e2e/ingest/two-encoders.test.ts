import { expect, test } from "vitest";
import { expectTakeover } from "../../support/encoders/recorded-takeover.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { packetHashes } from "../../support/streams/packet-hashes.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

test.concurrent("two encoders on two channels at once never mix", async ({ onTestFinished }) => {
  const stage = await Stage.open(onTestFinished);
  const clips = [
    await makeClip({ ...ONE_GROUP, pitchHz: 440 }),
    await makeClip({ ...ONE_GROUP, pitchHz: 660 }),
  ] as const;
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
  const keys = [uniqueKey("one"), uniqueKey("two")] as const;
  const one = await api.createChannel("one", [{ rtmpUrl: nginx.url, streamKey: keys[0] }]);
  const two = await api.createChannel("two", [{ rtmpUrl: nginx.url, streamKey: keys[1] }]);

  const encoders = await Promise.all([
    stage.ffmpeg(clips[0], publishUrl(one)),
    stage.ffmpeg(clips[1], publishUrl(two)),
  ]);
  for (const encoder of encoders) expect(await encoder.exited).toEqual({ code: 0, signal: null });

  const [frames, otherFrames] = [(await packetHashes(clips[0].path)).video, (await packetHashes(clips[1].path)).video];
  expect(frames.filter((frame) => otherFrames.includes(frame))).toEqual([]);
  expect((await expectSentPackets(nginx, keys[0], clips[0].path)).framesSkipped).toBe(0);
  expect((await expectSentPackets(nginx, keys[1], clips[1].path)).framesSkipped).toBe(0);
});

test.concurrent("a second encoder with the same key takes over from the first", async ({ onTestFinished }) => {
  const stage = await Stage.open(onTestFinished);
  const [first, second] = [await makeClip({ seconds: 6, pitchHz: 440 }), await makeClip({ seconds: 6, pitchHz: 660 })];
  const nginx = await stage.nginx();
  const { api } = await sharedServer(stage);
  const key = uniqueKey("takeover");
  const channel = await api.createChannel("takeover", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const watch = stage.watch(api, channel);
  const replaced = await stage.ffmpeg(first, publishUrl(channel), { loops: true });
  await watch.until(0, (platform) => platform.totalPlaySecond >= 2, 10_000);

  const successor = await stage.ffmpeg(second, publishUrl(channel));
  // It would go on for ever: only the server can have ended it.
  expect((await replaced.exited).signal).toBeNull();
  expect(await successor.exited, successor.stderr()).toEqual({ code: 0, signal: null });
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);

  await expectTakeover(nginx, key, first.path, second.path);
});
