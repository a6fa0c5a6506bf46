import { expect, test } from "vitest";
import { lastTwoThirds, slopePerHour } from "./slope.ts";

const seconds = (values: readonly number[]) => values.map((value, index) => ({ atMs: index * 1_000, value }));

test("a line's slope is its growth in an hour", () => {
  expect(slopePerHour(seconds([10, 12, 14, 16]))).toBeCloseTo(7_200, 6);
});

test("noise around a level has no slope", () => {
  expect(slopePerHour(seconds([5, 7, 7, 5]))).toBe(0);
});

test("the line is the least-squares one", () => {
  // Over 0, 1, 2, 3 s: Σ(t−t̄)(v−v̄) = 6 and Σ(t−t̄)² = 5.
  expect(slopePerHour(seconds([1, 2, 2, 5]))).toBeCloseTo((6 / 5) * 3_600, 6);
});

test.each([[[]], [[{ atMs: 5, value: 3 }]]])("fewer than two moments have no slope", (measurements) => {
  expect(slopePerHour(measurements)).toBe(0);
});

test("the first third of the time is left out, however many measurements it has", () => {
  const measurements = [0, 1, 2, 3, 4, 10, 20, 30].map((atMs) => ({ atMs, value: atMs }));
  expect(lastTwoThirds(measurements).map(({ atMs }) => atMs)).toEqual([10, 20, 30]);
});
