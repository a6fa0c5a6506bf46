import { expect, test } from "vitest";
import { agingClock, SharedClock } from "../../../src/control/schedules/shared-clock.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

function stage() {
  const own = new VirtualClock(1_000_000);
  const clock = new SharedClock(own);
  return { own, clock, aheadMs: () => clock.wallNow() - own.wallNow() };
}

test("the time is that of the database, and moves only where an answer proves that it differs", () => {
  const { own, clock, aheadMs } = stage();
  clock.measured(900, 2_000);
  expect(aheadMs()).toBe(0);
  clock.measured(60_000, 2_000);
  expect(aheadMs()).toBe(60_000);
  for (const [measuredMs, shownMs] of [
    [60_900, 60_000],
    [59_100, 60_000],
    [-300, -300],
  ] as const) {
    clock.measured(measuredMs, 2_000);
    expect(aheadMs()).toBe(shownMs);
  }
  own.advance(500);
  expect([clock.now() - own.now(), aheadMs()]).toEqual([0, -300]);
});

test("a machine whose clock is set keeps the database's time; without a database of others its own clock counts", () => {
  const { own, clock, aheadMs } = stage();
  own.setWall(60_000);
  expect(aheadMs()).toBe(0);
  clock.measured(0, 2);
  own.setWall(300_000);
  own.advance(1_000);
  expect(aheadMs()).toBe(-300_000);
});

test("what is removed is too old by both clocks: neither that of one server nor that of the database removes by itself", () => {
  const { own, clock } = stage();
  const aged = agingClock(own, clock);
  const now = own.wallNow();
  clock.measured(-60_000, 2);
  expect(aged.wallNow()).toBe(now - 60_000);
  clock.measured(60_000, 2);
  expect(aged.wallNow()).toBe(now);
  expect(aged.now()).toBe(own.now());
});
