import { expect, test } from "vitest";
import { Levels, peakDbfs } from "../../web/src/parts/video/levels.ts";

test("the level of samples is their peak in dBFS, within the scale", () => {
  const dbfs = (...samples: number[]) => Math.round(peakDbfs(new Float32Array(samples)) * 10) / 10;
  expect([dbfs(0), dbfs(0.0001), dbfs(0.1, -0.5), dbfs(-1), dbfs(1.5)]).toEqual([-60, -60, -6, 0, 0]);
});

test("a level rises at once and falls by 20 dB a second; its peak stays for 1.5 s", () => {
  const levels = new Levels();
  const take = (dbfs: number, nowMs: number) => {
    levels.take(dbfs, nowMs);
    return [levels.level, levels.peak];
  };
  expect(take(-10, 0)).toEqual([-10, -10]);
  expect(take(-60, 500)).toEqual([-20, -10]);
  expect(take(-12, 1_000)).toEqual([-12, -10]);
  expect(take(-60, 1_499)).toEqual([expect.closeTo(-21.98), -10]);
  expect(take(-60, 1_500)).toEqual([expect.closeTo(-22), expect.closeTo(-22)]);
  expect(take(-60, 9_000)).toEqual([-60, -60]);
});
