import { expect, test } from "vitest";
import { Feed } from "../../src/relay/feed.ts";
import { AAC_CONFIG, AVC_CONFIG, aacFrame, audio, avcFrame, video } from "../support/media-messages.ts";

test("an encoder's sample has what the ingest check measures of it", () => {
  const description = {
    slot: "main",
    remoteAddress: "192.0.2.1",
    encoder: "test",
    onDismissed: () => undefined,
  } as const;
  const feed = new Feed(1, description, 0, { nowMs: 0, awakeMs: 0 });
  feed.take(video(0, AVC_CONFIG), 0, 0);
  feed.take(audio(0, AAC_CONFIG), 0, 0);
  for (let nowMs = 0; nowMs <= 12_000; nowMs += 40) {
    if (nowMs > 0 && nowMs % 1_000 === 0) feed.tick(nowMs);
    const index = nowMs / 40;
    // A keyframe every three seconds; each second picture is shown before the one sent before it.
    const compositionTimeMs = index % 2 === 0 ? 80 : 0;
    feed.take(video(nowMs, avcFrame(index % 75 === 0, 1, 91, compositionTimeMs)), nowMs, nowMs);
    feed.take(audio(nowMs, aacFrame(2, 17)), nowMs, nowMs);
  }
  expect(feed.sample("LIVE", 12_000).measures).toEqual({
    videoBytesPerSecond: 2_500,
    audioBytesPerSecond: 500,
    longestKeyframeSeconds: 3,
    bFrames: 1,
  });
});
