import { expect, test } from "vitest";
import type { SourceStatus } from "../../../src/control/channels/source.ts";
import { SourceStatuses } from "../../../src/control/sources/source-statuses.ts";
import { targetError } from "../../../src/thread-protocol/targets/target-errors.ts";
import { ManualClock } from "../manual-clock.ts";

const STEP_MS = 86_400_000;

test("since when a source does what it does follows the wall clock, and so do its link's times", () => {
  const clock = new ManualClock();
  const statuses = new SourceStatuses(clock);
  const lastError = targetError("connection-refused");
  const failed = (ms: number): SourceStatus => ({
    ...{ state: "failed", sinceTime: 5 + ms },
    link: {
      ...{ status: "FAIL", sinceTime: 5 + ms, nextRetryTime: 9 + ms, retryAttempt: 2, isUnstable: true },
      lastError: { ...lastError, time: 4 + ms },
    },
  });
  statuses.set("a", failed(0));
  statuses.set("b", { state: "stopped", sinceTime: 7, reason: "finished" });
  clock.advance(1_000);
  expect(statuses.get("a")).toEqual(failed(0));
  clock.wallMs += STEP_MS;
  expect(statuses.get("a")).toEqual(failed(STEP_MS));
  expect(statuses.get("b")).toEqual({ state: "stopped", sinceTime: 7 + STEP_MS, reason: "finished" });
  clock.wallMs -= STEP_MS;
  // What is told after the clock was set is told by the present one.
  statuses.set("b", { state: "playing", sinceTime: 8 });
  expect([statuses.get("a"), statuses.get("b")]).toEqual([failed(0), { state: "playing", sinceTime: 8 }]);
  expect([statuses.delete("b"), statuses.delete("b"), [...statuses.keys()]]).toEqual([true, false, ["a"]]);
});
