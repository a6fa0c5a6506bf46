import { expect, test } from "vitest";
import { CallBudget } from "../../src/ingest/srt/call-budget.ts";

const count = (budget: CallBudget, address: string, packets: number, nowMs: number) =>
  Array.from({ length: packets }, () => budget.take(address, nowMs)).filter(Boolean).length;

test("a network has its own packets alone, however many it sends, and the total is for all networks", () => {
  const budget = new CallBudget();
  // Two seconds of its share, as it comes for the first time.
  expect(count(budget, "192.0.2.1", 100_000, 0)).toBe(200);
  expect(count(budget, "2001:db8::1", 1_000, 0)).toBe(200);
  // The same /64 is the same network.
  expect(count(budget, "2001:db8::2", 1_000, 0)).toBe(0);
  for (let network = 0; network < 48; network += 1) expect(count(budget, `198.51.${network}.1`, 300, 0)).toBe(200);
  // Two seconds of the total are used up.
  expect(count(budget, "203.0.113.1", 1, 0)).toBe(0);
  expect(count(budget, "192.0.2.1", 1_000, 1_000)).toBe(100);
});
