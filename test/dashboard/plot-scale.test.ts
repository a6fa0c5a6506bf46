import { afterEach, expect, test, vi } from "vitest";
import { highest, labelTimes, nearestIndex } from "../../web/src/chart/plot-scale.ts";

afterEach(() => void vi.restoreAllMocks());

const XS = [10, 11, 12, 20, 21];

test.each([
  [-5, 0],
  [10.4, 0],
  [11.6, 2],
  [15.9, 2],
  [16.1, 3],
  [99, 4],
])("the point nearest to %d", (x, index) => {
  expect(nearestIndex(XS, x)).toBe(index);
});

test("without points none is the nearest, and a single one always is", () => {
  expect(nearestIndex([], 5)).toBeUndefined();
  expect(nearestIndex([7], 5)).toBe(0);
});

test("the scale follows the known values of the part that is shown", () => {
  const points = { x: XS, y: [900, null, 40, 70, 800] };
  expect(highest(points, [10, 21])).toBe(900);
  expect(highest(points, [11, 20])).toBe(70);
  expect(highest(points, [11, 11.5])).toBe(0);
});

const HOUR = 3_600;
/** 2026-11-29 00:00 UTC. */
const MIDNIGHT = 1_795_910_400;

test.each([
  [[MIDNIGHT + 3, MIDNIGHT + 62], 10, [10, 20, 30, 40, 50, 60]],
  [[MIDNIGHT, MIDNIGHT + HOUR], 7, [0, 600, 1_200, 1_800, 2_400, 3_000, 3_600]],
  [[MIDNIGHT + 1, MIDNIGHT + 3 * 24 * HOUR], 4, [24 * HOUR, 48 * HOUR, 72 * HOUR]],
  [[MIDNIGHT + 1, MIDNIGHT + 1], 4, [1]],
] as const)("labels from %j, fewer than %d apart", (range, countMax, seconds) => {
  vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(0);
  expect(labelTimes(range, countMax).map((time) => time - MIDNIGHT)).toEqual(seconds);
});

test("labels are whole hours of the clock on the wall, also where it differs from UTC by half an hour", () => {
  vi.spyOn(Date.prototype, "getTimezoneOffset").mockReturnValue(-330);
  const times = labelTimes([MIDNIGHT, MIDNIGHT + 6 * HOUR], 7);
  expect(times.map((time) => (time - MIDNIGHT) / HOUR)).toEqual([0.5, 1.5, 2.5, 3.5, 4.5, 5.5]);
});
