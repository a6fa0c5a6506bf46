import { expect, test } from "vitest";
import { lastMinuteOf, rateSamplesOf } from "../../web/src/live/rate-samples.ts";

const sampleAt = (time: number, bytesPerSecond: number) => ({
  ...{ channelId: "ls-1", time, ingest: { bytesPerSecond } },
  platforms: [],
});

test("the last minute is the history of this broadcast, then the live samples, 60 values at most", () => {
  const history = {
    ...{ channelId: "ls-1", fromTime: 10_000, toTime: 15_000, stepSeconds: 1 },
    ingest: { bytesPerSecond: [9, null, 1, 2, 3, null] },
    platforms: [
      {
        ...{ platId: 7, bytesPerSecond: [9, null, 5, null, 6, null], queueMilliseconds: [] },
        ...{ droppedFrames: [], retryCount: [] },
      },
    ],
  };
  // The value of second 10 belongs to an earlier broadcast; of seconds 11 and 15 nothing is known.
  const earlier = rateSamplesOf(history, 11_500);
  expect(earlier).toEqual([
    { time: 12_000, ingest: { bytesPerSecond: 1 }, platforms: [{ platId: 7, bytesPerSecond: 5 }] },
    { time: 13_000, ingest: { bytesPerSecond: 2 }, platforms: [{ platId: 7, bytesPerSecond: 0 }] },
    { time: 14_000, ingest: { bytesPerSecond: 3 }, platforms: [{ platId: 7, bytesPerSecond: 6 }] },
  ]);
  // The sample of 14.2 s is the history's second 14: it stands there once.
  const samples = [sampleAt(14_200, 4), sampleAt(15_200, 5)];
  expect(lastMinuteOf(earlier, samples).map(({ ingest }) => ingest.bytesPerSecond)).toEqual([1, 2, 4, 5]);
  expect(lastMinuteOf(earlier, [])).toEqual(earlier);
  const full = Array.from({ length: 60 }, (_, second) => sampleAt(14_200 + second * 1_000, second));
  expect(lastMinuteOf(earlier, full)).toEqual(full);
});
