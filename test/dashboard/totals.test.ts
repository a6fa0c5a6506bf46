import { expect, test } from "vitest";
import type { Channel } from "../../web/src/base/model.ts";
import { withSample } from "../../web/src/live/changes.ts";

test("between whole objects the totals grow by each second's sample", () => {
  const platform = { platId: 7, bytesTotalTrans: 1_000, totalBytesPerSecond: 1_000 };
  const idle = { platId: 8, bytesTotalTrans: 5, totalBytesPerSecond: 5 };
  const channel = { channelId: "ls-1", platforms: [platform, idle], ingest: { bytesTotal: 50 } } as unknown as Channel;
  const sample = {
    channelId: "ls-1",
    time: 1,
    ingest: { bytesPerSecond: 30 },
    platforms: [
      { platId: 7, bytesPerSecond: 200, queueMilliseconds: 0, droppedFrames: 0, stability: "stable" as const },
    ],
  };
  expect(withSample(withSample(channel, sample), sample)).toEqual({
    channelId: "ls-1",
    platforms: [{ platId: 7, bytesTotalTrans: 1_400, totalBytesPerSecond: 1_400 }, idle],
    ingest: { bytesTotal: 110 },
  });
});
