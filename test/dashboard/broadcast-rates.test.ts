import { expect, test } from "vitest";
import { ratesOfHistory, withSamples } from "../../web/src/chart/broadcast-rates.ts";

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
