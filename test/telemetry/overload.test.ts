import { expect, test } from "vitest";
import { Overload, Overloads } from "../../src/telemetry/overload.ts";

const of = (load: number, max = 0) => ({ median: 0, p99: 0, max, load });

test("a thread is busy once two reports in a row are above the limit, and no longer with the first below", () => {
  const overload = new Overload(0.95);
  const verdicts = [0.99, 0.5, 0.96, 0.97, 0.99, 0.95].map((load) => {
    overload.take(of(load));
    return overload.isBusy;
  });
  expect(verdicts).toEqual([false, false, false, true, true, false]);
});

test("without a limit no load is too much", () => {
  const overload = new Overload(1);
  for (let count = 0; count < 5; count += 1) overload.take(of(1));
  expect([overload.isBusy, overload.isThere]).toEqual([false, false]);
});

test("a loop that was two seconds late is a trouble and refuses no encoder", () => {
  const overload = new Overload(0.95);
  overload.take(of(0.1, 1.9));
  expect(overload.isThere).toBe(false);
  overload.take(of(0.1, 2));
  expect([overload.isBusy, overload.isThere]).toEqual([false, true]);
  overload.take(of(0.1, 0));
  expect(overload.isThere).toBe(false);
});

test("one of several threads that does not keep up is enough, until it does", () => {
  const overloads = new Overloads(0.95);
  expect(overloads.take("media-1", of(0.1, 3))).toBe(true);
  expect(overloads.take("media-2", of(0.1))).toBe(true);
  expect(overloads.take("media-1", of(0.1))).toBe(false);
});
