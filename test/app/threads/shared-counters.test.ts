import { expect, test } from "vitest";
import { newSharedCounters, SharedCounters } from "../../../src/app/threads/shared-counters.ts";

test("each thread sees the counters of the others, and a dead thread's are gone", () => {
  const shared = newSharedCounters(3);
  const [first, second, third] = [0, 1, 2].map((index) => new SharedCounters(shared, index)) as [
    SharedCounters,
    SharedCounters,
    SharedCounters,
  ];
  first.connections.onCount(5);
  second.connections.onCount(7);
  expect([first, second, third].map(({ connections }) => connections.elsewhere())).toEqual([7, 5, 12]);
  first.shareUplink({ channels: 1, links: 2, stalledLinks: 2 });
  expect(second.shareUplink({ channels: 1, links: 3, stalledLinks: 1 })).toEqual({
    ...{ channels: 2, links: 5, stalledLinks: 3 },
  });
  new SharedCounters(shared, 0).clear();
  expect(second.connections.elsewhere()).toBe(0);
  expect(third.shareUplink({ channels: 0, links: 0, stalledLinks: 0 })).toEqual({
    ...{ channels: 1, links: 3, stalledLinks: 1 },
  });
});
