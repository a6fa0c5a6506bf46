import { expect, test } from "vitest";
import { doneSteps, pastOf } from "../../web/src/parts/start/steps.ts";

type Platform = Parameters<typeof doneSteps>[0]["platforms"][number];
const platform = (connectStatus: Platform["connectStatus"]) => ({ enabled: true, connectStatus, totalPlaySecond: 0 });

const OFF_AIR = {
  isPublishing: false,
  health: { state: "waiting", reasonCount: 0 },
  platforms: [platform("READY"), platform("READY")],
} as const;

test("a broadcast that was not on air everywhere leaves the last step open, and what it did stays done", () => {
  const half = { platforms: [{ onAirSeconds: 60 }, { onAirSeconds: 0 }] };
  const past = pastOf([], [half]);
  expect(past).toEqual({ isTested: false, wasOnAir: true, wasGreen: false });
  expect([...doneSteps(OFF_AIR, past)]).toEqual(["create", "platform", "encoder", "stream"]);
  const whole = { platforms: [{ onAirSeconds: 60 }, { onAirSeconds: 1 }] };
  expect(pastOf([], [half, whole]).wasGreen).toBe(true);
});

test("the test pattern is a test and no broadcast; a test that failed is none", () => {
  const pattern = { testPattern: true, platforms: [{ onAirSeconds: 60 }] } as const;
  const started = { eventCode: "STREAM_UPDATE", reason: "test-pattern-started" } as const;
  expect(pastOf([started], [pattern])).toEqual({ isTested: true, wasOnAir: false, wasGreen: false });
  const failed = { eventCode: "PLATFORM_TESTED", reason: "TCP_REFUSED" } as const;
  expect(pastOf([failed], []).isTested).toBe(false);
  expect(pastOf([{ eventCode: "PLATFORM_TESTED" }], []).isTested).toBe(true);
});
