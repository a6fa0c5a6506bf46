import { join } from "node:path";
import { expect, test } from "vitest";
import { z } from "zod";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import type { Channel } from "../../support/dashboard/api-client.ts";
import { expectTakeover } from "../../support/encoders/recorded-takeover.ts";
import { startChild } from "../../support/processes/children.ts";
import type { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { decodingErrors } from "../../support/streams/decoding.ts";

const DEADLINE_MS = 30_000;
/**
 * The kernel decides which thread gets a connection: two of three second ones come to another thread than the first.
 */
const THREADS = { environment: { FANFARE_MEDIA_THREADS: "3" } };
const ATTEMPTS_MAX = 20;

/** Whether an encoder, or a player, of this channel is in another thread than the one it came to. */
function wasHandedOver(fanfare: FanfareProcess, { channelId }: Channel, what: "encoder" | "player"): boolean {
  return fanfare.output.split("\n").some((line) => line.includes(`remote ${what}`) && line.includes(channelId));
}

test.concurrent("FFmpeg that comes to another thread takes over from FFmpeg, and nginx records both, packet for packet", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const [first, second] = [await makeClip({ seconds: 6, pitchHz: 440 }), await makeClip({ seconds: 6, pitchHz: 660 })];
  const nginx = await stage.nginx();
  const { api, fanfare } = await stage.server(THREADS);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const key = uniqueKey("takeover");
    const channel = await api.createChannel(`takeover_${attempt}`, [{ rtmpUrl: nginx.url, streamKey: key }]);
    const watch = stage.watch(api, channel);
    const replaced = await stage.ffmpeg(first, publishUrl(channel), { loops: true });
    await watch.until(0, (platform) => platform.totalPlaySecond >= 2, 10_000);
    const successor = await stage.ffmpeg(second, publishUrl(channel));
    // It would go on for ever: only the server can have ended it.
    expect((await replaced.exited).signal).toBeNull();
    expect(await successor.exited, successor.stderr()).toEqual({ code: 0, signal: null });
    await watch.until(0, (platform) => platform.connectStatus === "READY", 10_000);
    await expectTakeover(nginx, key, first.path, second.path);
    expect(await nginx.recordings(key)).toHaveLength(1);
    if (wasHandedOver(fanfare, channel, "encoder")) {
      expect(await metricsOf(fanfare)).toMatch(/fanfare_handed_over_total\{what="encoder"\} [1-9]/);
      return;
    }
  }
  throw new Error(`${ATTEMPTS_MAX} encoders all came to the thread of the one before`);
});

test.concurrent("FFmpeg plays a preview over RTMP whichever thread it comes to, and over HTTP", async ({
  onTestFinished,
}) => {
  const stage = await Stage.open(onTestFinished);
  const { api, fanfare } = await stage.server(THREADS);
  const target = await stage.target();
  const channel = await api.createChannel("preview", [{ rtmpUrl: target.url, streamKey: uniqueKey("a") }]);
  const encoder = stage.kitEncoder(channel, { clip: syntheticClip({ video: "360p" }) });
  await encoder.accepted;
  await waitFor("media", DEADLINE_MS, () => (target.connections[0]?.report.mediaBytes ?? 0) > 0 || undefined);
  const path = `/api/v2/re-stream/channels/${channel.channelId}/preview-token`;
  const made = z.object({ url: z.string() }).parse(await api.request("POST", path));
  const token = made.url.split("=")[1] ?? "";
  stage.keepSecret(token);

  await playsWell(stage, fanfare.origin + made.url);
  for (let attempt = 0; attempt < ATTEMPTS_MAX && !wasHandedOver(fanfare, channel, "player"); attempt += 1) {
    await playsWell(stage, `rtmp://127.0.0.1:${fanfare.rtmpPort}/preview/${channel.channelId}?token=${token}`);
  }
  expect(wasHandedOver(fanfare, channel, "player")).toBe(true);

  const metrics = await waitFor("all threads' event loop delay", DEADLINE_MS, async () => {
    const text = await metricsOf(fanfare);
    return ["media-1", "media-2", "media-3"].every((thread) => text.includes(`thread="${thread}"`)) ? text : undefined;
  });
  expect(metrics).toMatch(/fanfare_handed_over_total\{what="player"\} [1-9]/);
  expect(target.connections).toHaveLength(1);
});

const metricsOf = async (fanfare: FanfareProcess): Promise<string> =>
  await (await fetch(`${fanfare.origin}/metrics`)).text();

/** FFmpeg plays two seconds of it and decodes every frame without an error. */
async function playsWell(stage: Stage, url: string): Promise<void> {
  const file = join(stage.folder, "preview.flv");
  const player = await startChild("ffmpeg", [
    "-v",
    "error",
    "-nostdin",
    "-i",
    url,
    "-t",
    "2",
    "-c",
    "copy",
    "-y",
    file,
  ]);
  expect([(await player.exited).code, player.stderr()]).toEqual([0, ""]);
  expect(await decodingErrors(file)).toBe("");
}
