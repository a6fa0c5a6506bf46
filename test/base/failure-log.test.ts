import { expect, test } from "vitest";
import { FailureLog, type LogFields } from "../../src/base/log.ts";
import { ManualClock } from "../control/manual-clock.ts";

test("a failure that goes on is one line a minute, and one says that it is over", () => {
  const clock = new ManualClock();
  const lines: unknown[] = [];
  const note = (event: string, { detail }: LogFields = {}) => void lines.push([event, detail]);
  const failures = new FailureLog({
    ...{ clock, log: { info: note, warn: note } },
    failed: "not stored",
    worksAgain: "stored again",
  });
  failures.worked();
  for (let second = 0; second < 125; second += 1) {
    failures.failed(new Error(`at second ${second}`));
    clock.advance(1_000);
  }
  failures.worked();
  failures.worked();
  failures.failed("anew");
  expect(lines).toEqual([
    ["not stored", "at second 0"],
    ["not stored", "at second 60"],
    ["not stored", "at second 120"],
    ["stored again", undefined],
    ["not stored", "anew"],
  ]);
});
