import { expect, test } from "vitest";
import { NetworkLoss } from "../../src/testkit/proxy/network-loss.ts";

/** Milliseconds of the first three seconds in which a datagram is lost, as ranges. */
function lostRanges(loss: NetworkLoss): readonly string[] {
  const ranges: string[] = [];
  let from: number | undefined;
  for (let ms = 0; ms < 3_000; ms += 1) {
    const isLost = loss.isLost(ms);
    if (isLost) from ??= ms;
    else if (from !== undefined) {
      ranges.push(`${from}-${ms}`);
      from = undefined;
    }
  }
  return ranges;
}

test("bursts last as long as they should, and come after the waits that chance draws", () => {
  expect(lostRanges(new NetworkLoss({ loss: 0, bursts: { everyMs: 1_000, lastMs: 200 } }, () => 0.25))).toEqual([
    "750-950",
    "1700-1900",
    "2650-2850",
  ]);
});

test("each datagram is lost by itself where there are no bursts", () => {
  const draws = [0.04, 0.05, 0.9, 0];
  const loss = new NetworkLoss({ loss: 0.05 }, () => draws.shift() ?? 1);
  expect([1, 2, 3, 4, 5].map((ms) => loss.isLost(ms))).toEqual([true, false, false, true, false]);
});
