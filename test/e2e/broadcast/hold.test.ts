import { setTimeout as pass } from "node:timers/promises";
import { expect, type TestContext, test } from "vitest";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";
import { isCodedMedia, isKeyframe, isVideo, isVideoHeader, stepsBack } from "../../support/streams/flv-file.ts";
import type { NginxTarget } from "../../support/targets/nginx-target.ts";

/**
 * An encoder that returns begins with a keyframe, of which its clip has one every 2 s; and its end comes after its last
 * frame.
 */
const LATE_MS_MAX = 4_000;
const CLIP_SECONDS = 6;
const FRAME_MS = 40;
/** A held target gets the last frame again, from then on and so often, in milliseconds. */
const [FILLED_AFTER_MS, FILLER_MS] = [2_000, 500];

/** A server with one channel and one recording target, and a watch on its only platform. */
async function oneTarget({ onTestFinished }: TestContext) {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api, fanfare } = await sharedServer(stage);
  const key = uniqueKey("held");
  const channel = await api.createChannel("held", [{ rtmpUrl: nginx.url, streamKey: key }]);
  return { stage, nginx, api, fanfare, key, channel, watch: stage.watch(api, channel) };
}

/** Waits until the target has so much of the stream on disk, in milliseconds of media. */
function recorded(nginx: NginxTarget, key: string, mediaMs: number, index = 0) {
  return nginx.waitForRecording(key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= mediaMs, 30_000, index);
}

/** The whole recording of a broadcast is one connection's, decodes without a message, and never steps back in time. */
async function expectOneIntactRecording(nginx: NginxTarget, key: string) {
  const recordings = await nginx.recordings(key);
  expect(recordings).toHaveLength(1);
  const [recording] = recordings;
  if (recording === undefined) throw new Error("no recording");
  expect(stepsBack(recording.tags)).toEqual([]);
  expect(await decodingErrors(recording.path)).toBe("");
  return recording;
}

test.concurrent.for([
  { name: "1 s", dropMs: 1_000, clip: {}, fillersMin: 0 },
  { name: "5 s", dropMs: 5_000, clip: {}, fillersMin: 3 },
  { name: "5 s of a stream with B-frames", dropMs: 5_000, clip: { hasBFrames: true }, fillersMin: 3 },
])(
  "a drop of $name leaves the target's connection, video and clock in order",
  async ({ dropMs, clip: how, fillersMin }, context) => {
    const { stage, nginx, key, channel, watch } = await oneTarget(context);
    const clip = await makeClip({ seconds: CLIP_SECONDS, ...how });
    const startMs = performance.now();
    const first = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
    const { tags: begun } = await recorded(nginx, key, 3_000);
    const [begunMs, begunAtMs] = [begun.at(-1)?.timestamp ?? 0, performance.now()];
    const killedAtMs = performance.now();
    first.kill("SIGKILL");
    await first.exited;
    // Time has to pass here: the drop itself.
    await pass(dropMs);
    const again = await stage.ffmpeg(clip, publishUrl(channel));
    expect(await again.exited).toEqual({ code: 0, signal: null });
    const endedAtMs = performance.now();
    await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
    const { tags } = await expectOneIntactRecording(nginx, key);
    expect(watch.statuses(0).filter((status) => status === "FAIL")).toEqual([]);
    // In step with the wall clock, except for the time to connect and to write the recording.
    const mediaMs = tags.at(-1)?.timestamp ?? 0;
    expect(mediaMs).toBeLessThanOrEqual(endedAtMs - startMs + 500);
    expect(mediaMs - begunMs).toBeGreaterThan(endedAtMs - begunAtMs - LATE_MS_MAX);
    const frames = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
    const gaps = frames.map((tag, index) => tag.timestamp - (frames[index - 1]?.timestamp ?? tag.timestamp));
    const fillers = gaps.filter((gapMs) => gapMs === FILLER_MS).length;
    expect(fillers).toBeGreaterThanOrEqual(fillersMin);
    // On a busy machine FFmpeg takes long to return, and the drop is longer than the test's own time.
    const dropMsMax = endedAtMs - killedAtMs - (CLIP_SECONDS * 1_000 - FRAME_MS);
    expect(fillers).toBeLessThanOrEqual(Math.max(0, Math.ceil((dropMsMax - FILLED_AFTER_MS) / FILLER_MS)));
  },
);

test.concurrent("a cut without any packet, not even FIN, is held like any other, and the dead connection keeps no encoder out", async (context) => {
  const { stage, nginx, key, channel, watch, fanfare } = await oneTarget(context);
  const clip = await makeClip({ seconds: 6 });
  const wire = await stage.proxy(fanfare.rtmpPort);
  await stage.ffmpeg(clip, `rtmp://127.0.0.1:${wire.port}/relay/${channel.streamKey}`, { loops: true });
  await recorded(nginx, key, 3_000);
  wire.blackhole();
  await recorded(nginx, key, 7_000);
  const again = await stage.ffmpeg(clip, publishUrl(channel));
  expect(await again.exited).toEqual({ code: 0, signal: null });
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
  await expectOneIntactRecording(nginx, key);
});

test.concurrent("an encoder that returns with another resolution sends its header, and the video changes cleanly", async (context) => {
  const { stage, nginx, key, channel, watch } = await oneTarget(context);
  const first = await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  await recorded(nginx, key, 3_000);
  first.kill("SIGKILL");
  await recorded(nginx, key, 6_500);
  const again = await stage.ffmpeg(await makeClip({ seconds: 6, size: "854x480" }), publishUrl(channel));
  await again.exited;
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
  const { tags } = await expectOneIntactRecording(nginx, key);
  const headers = tags.filter(isVideoHeader);
  expect(headers).toHaveLength(2);
  const changeAt = tags.findLastIndex(isVideoHeader);
  expect(
    tags
      .slice(changeAt + 1)
      .filter(isVideo)
      .slice(0, 1)
      .map(isKeyframe),
  ).toEqual([true]);
});

test.concurrent("an encoder that returns with another sample rate makes the target reconnect", async (context) => {
  const { stage, nginx, key, channel, watch } = await oneTarget(context);
  const first = await stage.ffmpeg(await makeClip({ seconds: 6 }), publishUrl(channel), { loops: true });
  await recorded(nginx, key, 3_000);
  first.kill("SIGKILL");
  await first.exited;
  const again = await stage.ffmpeg(await makeClip({ seconds: 8, sampleRate: 44_100 }), publishUrl(channel));
  await again.exited;
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
  const recordings = await nginx.recordings(key);
  expect(recordings).toHaveLength(2);
  for (const { tags, path } of recordings) {
    expect(stepsBack(tags)).toEqual([]);
    expect(await decodingErrors(path)).toBe("");
  }
});

test.concurrent("a second encoder takes over on the same connections, without a wrong frame", async (context) => {
  const { stage, nginx, key, channel, watch } = await oneTarget(context);
  const clip = await makeClip({ seconds: 6 });
  const first = await stage.ffmpeg(clip, publishUrl(channel), { loops: true });
  await recorded(nginx, key, 3_000);
  const second = await stage.ffmpeg(await makeClip({ seconds: 6, pitchHz: 880 }), publishUrl(channel));
  await first.exited;
  expect(await second.exited).toEqual({ code: 0, signal: null });
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
  await expectOneIntactRecording(nginx, key);
});
