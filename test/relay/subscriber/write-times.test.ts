import { expect, test } from "vitest";
import { DrainRate } from "../../../src/relay/subscriber/rtmp-push/health/drain-rate.ts";
import { WriteTimes } from "../../../src/relay/subscriber/rtmp-push/health/write-times.ts";

test("the last bytes were written in as much time as they took, to a second between marks", () => {
  const times = new WriteTimes(0);
  for (let second = 1; second <= 10; second += 1) times.note(second * 1_000, second * 1_000);
  expect([0, 500, 1_000, 2_500, 10_000, 99_000].map((bytes) => times.spanMs(bytes))).toEqual([
    0, 500, 1_000, 2_500, 10_000, 10_000,
  ]);
});

test("the time that waiting media covers does not grow while nothing is written", () => {
  const times = new WriteTimes(0);
  for (let second = 1; second <= 10; second += 1) times.note(second * 1_000, second * 1_000);
  for (let second = 11; second <= 300; second += 1) times.note(10_000, second * 1_000);
  expect(times.spanMs(2_500)).toBe(2_500);
  // What is written then came that much later.
  times.note(11_000, 301_000);
  expect(times.spanMs(11_000)).toBeGreaterThan(290_000);
});

test("a target that holds others up is given no more than it takes, for ten seconds, and another gets everything", () => {
  const drain = new DrainRate();
  for (let second = 1; second <= 6; second += 1) drain.note(second * 60_000, false, second * 1_000);
  expect(drain.pace(60_000, 6_000)).toBe(60_000);
  for (let second = 7; second <= 12; second += 1) {
    drain.note(360_000 + (second - 6) * 12_000, second === 8, second * 1_000);
  }
  expect(drain.pace(60_000, 12_000)).toBe(15_000);
  expect(drain.pace(60_000, 18_000)).toBe(60_000);
  // Filler, and then the encoder again: it is not held up.
  for (let second = 19; second <= 40; second += 1) drain.pace(1_000, second * 1_000);
  expect(drain.pace(1_000, 41_000)).toBeGreaterThan(40_000);
});
