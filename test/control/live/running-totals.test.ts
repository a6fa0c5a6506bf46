import { expect, test } from "vitest";
import { RunningTotals } from "../../../src/control/live/running-totals.ts";
import type { TargetSample } from "../../../src/thread-protocol/samples.ts";
import { channelSample, targetSample } from "../../support/stages/sample.ts";

const CHANNEL = "ls-1";

/** The total after one sample of one target. */
function take(totals: RunningTotals, counters: Partial<TargetSample>, channelId = CHANNEL): TargetSample | undefined {
  return totals.samples([channelSample(channelId, [targetSample(7, counters)])])[0]?.targets[0];
}

test("what one media thread counts stays unchanged", () => {
  const totals = new RunningTotals();
  for (const bytesTotal of [100, 250]) {
    const sample = channelSample(CHANNEL, [targetSample(7, { bytesTotal, queueMs: 3 }), targetSample(8)]);
    expect(totals.samples([sample])).toEqual([sample]);
  }
});

test("a channel's counters go on after its thread started again, however high the new ones are already", () => {
  const totals = new RunningTotals();
  const drops = { overTime: 1, overBytes: 2, untilKeyframe: 3 };
  take(totals, { bytesTotal: 100, playMs: 10, retryCount: 1, droppedFrames: 6, drops, queueMs: 9 });
  take(totals, { bytesTotal: 40 }, "ls-2");
  totals.startOver([CHANNEL]);
  expect(take(totals, { bytesTotal: 150, playMs: 20, retryCount: 0, droppedFrames: 6, drops })).toEqual(
    targetSample(7, {
      bytesTotal: 250,
      playMs: 30,
      retryCount: 1,
      droppedFrames: 12,
      drops: { overTime: 2, overBytes: 4, untilKeyframe: 6 },
    }),
  );
  totals.startOver([CHANNEL]);
  totals.startOver([CHANNEL]);
  expect(take(totals, { bytesTotal: 1 })?.bytesTotal).toBe(251);
  expect(take(totals, { bytesTotal: 50 }, "ls-2")?.bytesTotal).toBe(50);
});

test("a target that was made anew goes on from its old totals", () => {
  const totals = new RunningTotals();
  take(totals, { bytesTotal: 100, playMs: 10 });
  expect(take(totals, { bytesTotal: 30, playMs: 2 })).toMatchObject({ bytesTotal: 130, playMs: 12 });
  expect(take(totals, { bytesTotal: 60, playMs: 4 })).toMatchObject({ bytesTotal: 160, playMs: 14 });
});

test("a removed target, and a removed channel, are forgotten", () => {
  const totals = new RunningTotals();
  take(totals, { bytesTotal: 100 });
  totals.samples([channelSample(CHANNEL, [])]);
  expect(take(totals, { bytesTotal: 5 })?.bytesTotal).toBe(5);
  totals.forget(CHANNEL);
  expect(take(totals, { bytesTotal: 2 })?.bytesTotal).toBe(2);
});
