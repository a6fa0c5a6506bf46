import { expect, test } from "vitest";
import { SharedLooks } from "../../src/net/shared-looks.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

/** A clock that counts the timers that were started. */
class CountingClock extends VirtualClock {
  started = 0;
  override startTimer(...timer: Parameters<VirtualClock["startTimer"]>) {
    this.started += 1;
    return super.startTimer(...timer);
  }
}

test("one timer calls all functions four times a second, and none runs without functions", () => {
  const clock = new CountingClock();
  const looks = new SharedLooks(clock);
  const calls = [0, 0, 0];
  const stops = calls.map((_, index) =>
    looks.add(() => {
      calls[index] = (calls[index] ?? 0) + 1;
    }),
  );
  clock.advance(1_000);
  expect(calls).toEqual([4, 4, 4]);
  expect(clock.started).toBe(5);
  stops[1]?.();
  clock.advance(250);
  expect(calls).toEqual([5, 4, 5]);
  for (const stop of stops) stop();
  clock.advance(10_000);
  expect(calls).toEqual([5, 4, 5]);
  expect(clock.started).toBe(6);
});

test("after a function that throws, the others are called at the next time", () => {
  const clock = new VirtualClock();
  const looks = new SharedLooks(clock);
  let calls = 0;
  const stop = looks.add(() => {
    throw new Error("a fault");
  });
  looks.add(() => {
    calls += 1;
  });
  expect(() => clock.advance(250)).toThrow("a fault");
  stop();
  clock.advance(250);
  expect(calls).toBe(1);
});
