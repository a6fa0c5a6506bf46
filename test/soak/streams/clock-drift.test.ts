import { expect, test } from "vitest";
import { ClockDrift } from "./clock-drift.ts";

/** Messages ten times a second for a minute; `delayMs` of the one that comes at this moment. */
function driftOf(delayMs: (nowMs: number) => number): number {
  const drift = new ClockDrift();
  for (let nowMs = 0; nowMs <= 60_000; nowMs += 100) drift.add(nowMs - delayMs(nowMs), nowMs);
  return drift.maxMs;
}

test("a stream in step does not drift, however late it is", () => {
  expect(driftOf(() => 300)).toBe(0);
});

test("a delay of some messages is no drift", () => {
  expect(driftOf((nowMs) => (nowMs > 22_000 && nowMs < 28_000 ? 3_000 : 50))).toBe(0);
});

test.each([
  { name: "behind", sign: 1 },
  { name: "ahead", sign: -1 },
])("a stream that falls $name for good drifts", ({ sign }) => {
  expect(driftOf((nowMs) => (nowMs >= 30_000 ? 400 + sign * 250 : 400))).toBe(250);
});
