import { expect, type TestContext, test } from "vitest";
import type { FanfareOptions } from "../../support/processes/fanfare-process.ts";
import { sharedServer } from "../../support/stages/shared-server.ts";
import { publishUrl, Stage, uniqueKey } from "../../support/stages/stage.ts";
import { type ClipOptions, makeClip, ONE_GROUP } from "../../support/streams/clip.ts";
import { expectSentPackets } from "../../support/streams/recorded-stream.ts";

/** FFmpeg → server → two nginx: both recordings contain exactly the clip's packets. */
async function expectEveryPacket(
  { onTestFinished }: TestContext,
  clipOptions: ClipOptions,
  options?: Pick<FanfareOptions, "environment">,
): Promise<void> {
  const stage = await Stage.open(onTestFinished);
  const clip = await makeClip(clipOptions);
  const [first, second] = [await stage.nginx(), await stage.nginx()];
  const { api } = await (options === undefined ? sharedServer(stage) : stage.server(options));
  const [firstKey, secondKey] = [uniqueKey("first"), uniqueKey("second")];
  const channel = await api.createChannel("every_packet", [
    { rtmpUrl: first.url, streamKey: firstKey },
    { rtmpUrl: `${second.url}/`, streamKey: secondKey, id: "someone", password: uniqueKey("password") },
  ]);

  const encoder = await stage.ffmpeg(clip, publishUrl(channel));
  expect(await encoder.exited, encoder.stderr()).toEqual({ code: 0, signal: null });

  expect((await expectSentPackets(first, firstKey, clip.path)).framesSkipped).toBe(0);
  expect((await expectSentPackets(second, secondKey, clip.path)).framesSkipped).toBe(0);
  expect(await first.recordings(firstKey)).toHaveLength(1);
  expect(await second.recordings(secondKey)).toHaveLength(1);
}

test.concurrent("two targets record exactly the packets that FFmpeg sent", async (context) => {
  await expectEveryPacket(context, ONE_GROUP);
});

test.concurrent("a stream with B-frames arrives packet for packet", async (context) => {
  await expectEveryPacket(context, { ...ONE_GROUP, hasBFrames: true });
});

test.concurrent("a server with one media thread and one with several relay the same packets", async (context) => {
  await Promise.all(
    ["1", "3"].map((threads) =>
      expectEveryPacket(context, ONE_GROUP, { environment: { FANFARE_MEDIA_THREADS: threads } }),
    ),
  );
});
