import fc from "fast-check";
import { expect, test } from "vitest";
import { TakeoverGuard, takeoverGuards } from "../../../src/relay/publisher/takeover-guard.ts";

/** Whether a takeover is allowed at each of these times, in seconds. */
const allowed = (guard: TakeoverGuard, ...seconds: readonly number[]) =>
  seconds.map((second) => guard.allows(second * 1_000));

test("three takeovers within half a minute are allowed, and the fourth is refused", () => {
  expect(allowed(new TakeoverGuard(), 0, 10, 20, 29.999)).toEqual([true, true, true, false]);
});

test("a takeover counts for half a minute, to the millisecond", () => {
  expect(allowed(new TakeoverGuard(), 0, 10, 20, 30)).toEqual([true, true, true, true]);
  expect(allowed(new TakeoverGuard(), 0, 10, 20, 30, 39.999)).toEqual([true, true, true, true, false]);
});

test("after a refusal all newcomers are refused for half a minute, and then the guard starts anew", () => {
  expect(allowed(new TakeoverGuard(), 0, 1, 2, 3, 10, 32.999, 33, 34, 35, 36)).toEqual([
    ...[true, true, true],
    ...[false, false, false],
    ...[true, true, true],
    false,
  ]);
});

test("a refused newcomer does not prolong the refusal", () => {
  const guard = new TakeoverGuard();
  allowed(guard, 0, 1, 2, 3);
  expect(allowed(guard, ...Array.from({ length: 29 }, (_, index) => 4 + index)).some((is) => is)).toBe(false);
  expect(allowed(guard, 33)).toEqual([true]);
});

test("no half minute has more than three takeovers, at whatever times they come", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 60 }), (steps) => {
      const guard = new TakeoverGuard();
      let nowMs = 0;
      const takenMs: number[] = [];
      for (const step of steps) {
        nowMs += step;
        if (guard.allows(nowMs)) takenMs.push(nowMs);
      }
      for (const [index, atMs] of takenMs.entries()) {
        expect((takenMs[index + 3] ?? Number.POSITIVE_INFINITY) - atMs).toBeGreaterThanOrEqual(30_000);
      }
    }),
  );
});

test("each key of a channel has a guard of its own", () => {
  const { main, backup } = takeoverGuards();
  expect(allowed(main, 0, 1, 2, 3)).toEqual([true, true, true, false]);
  expect(allowed(backup, 3)).toEqual([true]);
});
