import { expect, test } from "vitest";
import { kilobitsOf, platformHistory, ratesOfHistory, withSamples } from "../../web/src/chart/broadcast-rates.ts";

const SAMPLE = { channelId: "ls-1", platforms: [] };

test("a line is the known part of the history, then the live samples that are newer", () => {
  const known = ratesOfHistory({
    channelId: "ls-1",
    ...{ fromTime: 10_000, toTime: 50_000, stepSeconds: 10, platforms: [] },
    ingest: { bytesPerSecond: [null, 5, null, 7, null] },
  });
  expect(known).toEqual({ times: [20, 30, 40], rates: [5, null, 7] });
  const samples = [39_000, 40_000, 41_500].map((time) => ({ ...SAMPLE, time, ingest: { bytesPerSecond: time } }));
  expect(withSamples(known, samples)).toEqual({ times: [20, 30, 40, 41.5], rates: [5, null, 7, 41_500] });
  expect(withSamples(known, [])).toEqual(known);
});

test("an empty history gives an empty line", () => {
  const empty = { channelId: "ls-1", fromTime: 0, toTime: 2_000, stepSeconds: 1, platforms: [] };
  expect(ratesOfHistory({ ...empty, ingest: { bytesPerSecond: [null, null] } })).toEqual({ times: [], rates: [] });
});

test("a platform's part of a history begins with its first known value and ends with its last", () => {
  const history = {
    channelId: "ls-1",
    ...{ fromTime: 10_000, toTime: 40_000, stepSeconds: 10, ingest: { bytesPerSecond: [] } },
    platforms: [
      {
        platId: 7,
        bytesPerSecond: [null, 1_000, 2_000, null],
        queueMilliseconds: [null, 5, null, null],
        droppedFrames: [null, 0, 3, null],
        retryCount: [1, 0, 1, null],
      },
    ],
  };
  expect(platformHistory(history, 7)).toEqual({
    ...{ times: [20, 30], rates: [1_000, 2_000], queueMs: [5, null], drops: [0, 3], retries: [0, 1] },
  });
  expect(platformHistory(history, 8)).toBeUndefined();
  expect(kilobitsOf([1_000, null])).toEqual([8, null]);
});
