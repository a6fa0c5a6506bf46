import { expect, test } from "vitest";
import { ResendBudget } from "../../../src/protocol/srt/flow/resend-budget.ts";

test("of a peer's loss reports 65,536 numbers a second are looked at", () => {
  const budget = new ResendBudget();
  budget.tick(0);
  expect([budget.takeNumbers(65_536), budget.takeNumbers(1)]).toEqual([true, false]);
  budget.tick(500_000);
  expect([budget.takeNumbers(32_769), budget.takeNumbers(32_768), budget.takeNumbers(1)]).toEqual([false, true, false]);
  // Nothing is saved beyond a second.
  budget.tick(60_000_000);
  expect([budget.takeNumbers(65_537), budget.takeNumbers(65_536)]).toEqual([false, true]);
});

test("repeated packets have as many bytes as the stream, and two seconds of them at once", () => {
  const budget = new ResendBudget();
  budget.tick(0);
  expect([budget.takeBytes(500_001), budget.takeBytes(500_000), budget.takeBytes(1)]).toEqual([false, true, false]);
  budget.sent(1_000_000);
  budget.tick(1_000_000);
  // The first second still counted as one of the least rate.
  expect([budget.takeBytes(250_001), budget.takeBytes(250_000)]).toEqual([false, true]);
  budget.tick(1_500_000);
  expect([budget.takeBytes(500_001), budget.takeBytes(500_000)]).toEqual([false, true]);
});
