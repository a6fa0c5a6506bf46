import { expect, test } from "vitest";
import { WallSteps } from "../../../src/base/wall-steps.ts";
import { HoldLive } from "../../../src/control/live/hold-live.ts";
import { HOLD_MS_MAX } from "../../../src/thread-protocol/hold-limits.ts";
import { ManualClock } from "../manual-clock.ts";

test("the end and the limit of a hold follow the wall clock, also where the hold is extended after it was set", () => {
  const STEP_MS = 86_400_000;
  const clock = new ManualClock();
  const hold = new HoldLive(new WallSteps(clock));
  const lostTime = clock.wallMs;
  const of = () => ({ time: clock.wallMs, channelId: "ls-1", ingestId: 1, slot: "main" }) as const;
  hold.fact({ kind: "ingest-held", ...of(), end: "connection-lost", holdSeconds: 60 });
  hold.fact({ kind: "hold-set", ...of(), leftMs: 60_000 });
  expect(hold.now).toEqual({ endTime: lostTime + 60_000, limitTime: lostTime + HOLD_MS_MAX });
  clock.wallMs -= STEP_MS;
  expect(hold.now).toEqual({ endTime: lostTime + 60_000 - STEP_MS, limitTime: lostTime + HOLD_MS_MAX - STEP_MS });
  hold.fact({ kind: "hold-set", ...of(), leftMs: 120_000 });
  expect(hold.now).toEqual({ endTime: lostTime + 120_000 - STEP_MS, limitTime: lostTime + HOLD_MS_MAX - STEP_MS });
});
