import { expect, test } from "vitest";
import { TotalsKeeper } from "../../../src/app/control-thread/totals-keeper.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };

function open(countOnAir?: () => number) {
  const clock = new VirtualClock();
  let flushes = 0;
  const flush = async () => {
    flushes += 1;
  };
  const keeper = new TotalsKeeper({ clock, log, flush, ...(countOnAir === undefined ? {} : { countOnAir }) });
  keeper.start();
  return { clock, keeper, flushes: () => flushes };
}

test("a single server stores the totals every 2.5 seconds, and nothing more once it is stopped", () => {
  const { clock, keeper, flushes } = open();
  clock.advance(2_499);
  expect(flushes()).toBe(0);
  clock.advance(1);
  keeper.start();
  clock.advance(2_500);
  expect(flushes()).toBe(2);
  keeper.stop();
  clock.advance(60_000);
  expect(flushes()).toBe(2);
});

test.for([
  [100, 2_500],
  [400, 10_000],
  [5_000, 30_000],
] as const)("a node with %i broadcasts stores them every %i ms", ([broadcasts, intervalMs]) => {
  const { clock, flushes } = open(() => broadcasts);
  clock.advance(intervalMs - 1);
  expect(flushes()).toBe(0);
  clock.advance(1);
  expect(flushes()).toBe(1);
});

test("totals that another process counts are not stored here", async () => {
  const { clock, keeper, flushes } = open();
  keeper.abandon();
  clock.advance(60_000);
  keeper.storeSoon();
  await keeper.storeLast();
  expect(flushes()).toBe(0);
});

test("the totals of an encoder that leaves are stored at once, but not while another process counts them still", () => {
  const clock = new VirtualClock();
  let flushes = 0;
  const flush = async () => {
    flushes += 1;
  };
  const keeper = new TotalsKeeper({ clock, log, flush });
  const left = { channelId: "ls-1", ingestId: 1, slot: "main", kind: "ingest-ended", time: 1 } as const;
  keeper.fact({ ...left, end: "clean", isBroadcastOver: true });
  expect(flushes).toBe(0);
  keeper.start();
  keeper.fact({ ...left, end: "clean", isBroadcastOver: true });
  expect(flushes).toBe(1);
  // A server that stops: those of its last encoders too.
  keeper.stop();
  keeper.fact({ ...left, end: "clean", isBroadcastOver: true });
  expect(flushes).toBe(2);
});
