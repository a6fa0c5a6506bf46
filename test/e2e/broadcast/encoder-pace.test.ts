import { readFile } from "node:fs/promises";
import { setTimeout as pass } from "node:timers/promises";
import { expect, type TestContext, test } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../../src/testkit/flv-file.ts";
import { startChild } from "../../support/processes/children.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { Stage, uniqueKey } from "../../support/stages/stage.ts";
import { type Clip, makeClip } from "../../support/streams/clip.ts";
import { isAudio, isCodedMedia, isVideo } from "../../support/streams/flv-file.ts";

const HELD_UP_MS = 1_500;

/** A channel with one recording target, and a network in front of the server. */
async function oneTarget({ onTestFinished }: TestContext) {
  const stage = await Stage.open(onTestFinished);
  const nginx = await stage.nginx();
  const { api, fanfare } = await sharedServer(stage);
  const key = uniqueKey("pace");
  const channel = await api.createChannel("pace", [{ rtmpUrl: nginx.url, streamKey: key }]);
  const network = await stage.proxy(fanfare.rtmpPort);
  const url = `rtmp://127.0.0.1:${network.port}/relay/${channel.streamKey}`;
  return { stage, nginx, key, network, url, watch: stage.watch(api, channel) };
}

/** FFmpeg at so many times real time. */
function send(clip: Clip, url: string, rate: number) {
  const input = ["-hide_banner", "-loglevel", "warning", "-nostdin", "-readrate", String(rate), "-i", clip.path];
  return startChild("ffmpeg", [...input, "-c", "copy", "-tcp_nodelay", "1", "-f", "flv", url]);
}

/** Each frame's type and time, in milliseconds from the first video frame on: audio before it is not sent. */
function framesOf(tags: readonly FlvTag[]): readonly string[] {
  const frames = tags.filter(isCodedMedia);
  const startMs = frames.find(isVideo)?.timestamp ?? 0;
  const kinds = [isVideo, isAudio].map((isWanted) => frames.filter(isWanted));
  return kinds.flat().flatMap(({ type, timestamp }) => (timestamp < startMs ? [] : [`${type} ${timestamp - startMs}`]));
}

test.concurrent.for([
  { name: "sends a file at twice real time for eight seconds", rate: 2, seconds: 16, heldUpMs: 0 },
  {
    name: "is held up by its network, which then lets all of it go at once",
    rate: 1,
    seconds: 6,
    heldUpMs: HELD_UP_MS,
  },
])("an encoder that $name: every frame keeps its distance", async ({ rate, seconds, heldUpMs }, context) => {
  const { stage, nginx, key, network, url, watch } = await oneTarget(context);
  const clip = await makeClip({ seconds });
  const encoder = stage.encoder(await send(clip, url, rate));
  await nginx.waitForRecording(key, (tags) => (tags.at(-1)?.timestamp ?? 0) >= 2_000, 30_000);
  if (heldUpMs > 0) {
    network.stall();
    // Time has to pass here: what the network holds up.
    await pass(heldUpMs);
    network.resume();
  }
  expect(await encoder.exited).toEqual({ code: 0, signal: null });
  await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
  const recordings = await nginx.recordings(key);
  expect(recordings).toHaveLength(1);
  expect(framesOf(recordings[0]?.tags ?? [])).toEqual(framesOf(readFlv(await readFile(clip.path))));
});
