import { expect, test } from "vitest";
import { type Slowness, SlowWatch } from "../../../src/relay/subscriber/rtmp-push/health/slow-watch.ts";
import { Stability } from "../../../src/relay/subscriber/rtmp-push/health/stability.ts";

const STREAM = 59_500;

/** Looks once a second. Returns the last verdict, and how often it changed. */
function run(watch: SlowWatch, from: number, seconds: readonly { takes: number; waitingMs: number; drops?: number }[]) {
  let [reachedBytes, drops, changes] = [from * 1_000_000, 0, 0];
  let verdict: Slowness | undefined;
  seconds.forEach(({ takes, waitingMs, drops: lost = 0 }, index) => {
    reachedBytes += takes;
    drops += lost;
    const now = watch.look({ reachedBytes, streamPerSecond: STREAM, waitingMs, drops }, (from + index + 1) * 1_000);
    if (now !== verdict) changes += 1;
    verdict = now;
  });
  return { verdict, changes };
}
const repeat = <Item>(count: number, item: Item) => Array.from({ length: count }, () => item);

test("a target that keeps up is not slow, with a short delay or after a burst of which it lost nothing", () => {
  const watch = new SlowWatch();
  const { changes } = run(watch, 0, [
    ...repeat(30, { takes: STREAM, waitingMs: 100 }),
    ...repeat(3, { takes: 0, waitingMs: 3_000 }),
    { takes: 4 * STREAM, waitingMs: 100 },
    ...repeat(30, { takes: STREAM, waitingMs: 100 }),
  ]);
  expect(changes).toBe(0);
});

test("a target that takes 250 of 476 kbit/s is reported as slow once, with its rate, and no more when it has caught up", () => {
  const watch = new SlowWatch();
  const slow = run(watch, 0, repeat(40, { takes: 31_250, waitingMs: 4_500, drops: 10 }));
  expect(slow).toEqual({ verdict: { takesPerSecond: 31_250, ofPerSecond: STREAM }, changes: 1 });
  expect(run(watch, 40, repeat(9, { takes: STREAM, waitingMs: 200 })).verdict).toBeDefined();
  expect(run(watch, 49, repeat(15, { takes: STREAM, waitingMs: 200 })).verdict).toBeUndefined();
});

test("another rate is reported every ten seconds at most", () => {
  const watch = new SlowWatch();
  run(watch, 0, repeat(20, { takes: 31_250, waitingMs: 4_500 }));
  const { verdict, changes } = run(watch, 20, repeat(30, { takes: 12_500, waitingMs: 4_500 }));
  expect(verdict?.takesPerSecond).toBe(12_500);
  expect(changes).toBeLessThanOrEqual(4);
});

test("a target that fails three times in ten minutes is unstable until ten minutes after the first, and one that fails twice is not", () => {
  const stability = new Stability();
  const minute = 60_000;
  stability.fell(0);
  stability.fell(5 * minute);
  expect(stability.isUnstable(5 * minute)).toBe(false);
  stability.fell(9 * minute);
  expect(stability.isUnstable(9 * minute)).toBe(true);
  expect(stability.isUnstable(10 * minute)).toBe(false);
  stability.fell(14 * minute);
  expect(stability.isUnstable(14 * minute)).toBe(true);
  expect(stability.isUnstable(15 * minute)).toBe(false);
});
