import type { Points } from "./last-minute.ts";

/** The part of a line that is shown, in values of x. */
export type Range = readonly [from: number, to: number];

/** Seconds between two labels of the time axis. */
const TIME_STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 21_600, 43_200];
const DAY_SECONDS = 86_400;
const SECONDS_PER_MINUTE = 60;

/** Returns the index of the point nearest to `x`; undefined where there is none. `xs` ascend. */
export function nearestIndex(xs: readonly number[], x: number): number | undefined {
  let [low, high] = [0, xs.length - 1];
  if (high < 0) return undefined;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((xs[middle] ?? 0) < x) low = middle;
    else high = middle;
  }
  return x - (xs[low] ?? 0) < (xs[high] ?? 0) - x ? low : high;
}

/** Returns the highest known value of the part; 0 where nothing is known. */
export function highest({ x, y }: Points, [from, to]: Range): number {
  return x.reduce((max, at, index) => (at < from || at > to ? max : Math.max(max, y[index] ?? 0)), 0);
}

/** Returns the times of the part that get a label: round times of this browser's clock, at most `countMax`. */
export function labelTimes([from, to]: Range, countMax: number): readonly number[] {
  const step = TIME_STEPS.find((each) => (to - from) / each < countMax) ?? DAY_SECONDS;
  const zone = new Date(from * 1_000).getTimezoneOffset() * SECONDS_PER_MINUTE;
  const first = Math.ceil((from - zone) / step) * step + zone;
  return Array.from({ length: Math.max(0, Math.floor((to - first) / step) + 1) }, (_, index) => first + index * step);
}
