import { expect, test } from "vitest";
import { startDeadline } from "../../src/base/deadline.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

test("time passes as on the clock while the thread runs, and half a second at most while it does not", () => {
  const clock = new VirtualClock();
  clock.advance(10_000);
  expect(clock.awakeNow()).toBe(10_000);
  clock.pause(60_000);
  expect([clock.now(), clock.awakeNow()]).toEqual([70_000, 10_500]);
  clock.advance(1_000);
  expect([clock.now(), clock.awakeNow()]).toEqual([71_000, 11_250]);
});

test("a deadline that passed in a pause leaves the rest of its time after it", () => {
  const clock = new VirtualClock();
  const due: number[] = [];
  startDeadline(clock, 5_000, () => due.push(clock.now()));
  clock.advance(2_000);
  clock.pause(60_000);
  clock.advance(2_000);
  expect(due).toEqual([]);
  clock.advance(10_000);
  expect(due).toHaveLength(1);
  expect(due[0]).toBeGreaterThanOrEqual(64_500);
  expect(due[0]).toBeLessThanOrEqual(65_000);
});

test("a deadline fires once, on time where nothing stood still, and not where it was cancelled", () => {
  const clock = new VirtualClock();
  const due: string[] = [];
  startDeadline(clock, 1_000, () => due.push(`kept ${clock.now()}`));
  const cancelled = startDeadline(clock, 1_000, () => due.push("cancelled"));
  clock.pause(10_000);
  clock.advance(0);
  cancelled.cancel();
  clock.advance(60_000);
  expect(due).toHaveLength(1);
});
