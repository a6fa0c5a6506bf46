import { expect, test } from "vitest";
import { DrainRate } from "../../../src/relay/subscriber/rtmp-push/health/drain-rate.ts";

test.each([1, 2])(
  "a target that takes everything keeps its pace with a reading each %i s, at whatever second it comes",
  (everySeconds) => {
    const drain = new DrainRate();
    const paces: number[] = [];
    for (let second = 0; second < 30; second += 1) {
      const reached = 46_000 * everySeconds * Math.floor(second / everySeconds);
      drain.note(reached, second % 2 === 1, second * 1_000);
      if (second >= 6) paces.push(drain.pace(46_000, second * 1_000));
    }
    expect(Math.min(...paces)).toBe(46_000);
  },
);

test("a target that takes half of the stream is not given much more", () => {
  const drain = new DrainRate();
  for (let second = 0; second < 12; second += 1) drain.note(23_000 * second, true, second * 1_000);
  expect(drain.pace(46_000, 12_000)).toBe(28_750);
});
