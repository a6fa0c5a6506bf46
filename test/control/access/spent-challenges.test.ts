import { expect, test } from "vitest";
import { SpentChallenges } from "../../../src/control/access/spent-challenges.ts";

test("a challenge is good once, and is forgotten when it expires", () => {
  let nowMs = 0;
  const spent = new SpentChallenges({ now: () => nowMs });
  expect([spent.spend("a"), spent.spend("a"), spent.spend("b")]).toEqual([true, false, true]);
  nowMs = 179_999;
  expect(spent.spend("a")).toBe(false);
  nowMs = 180_000;
  expect(spent.spend("a")).toBe(true);
});

test("challenges above what encoders could use count as spent, and fill no memory", () => {
  let nowMs = 0;
  const spent = new SpentChallenges({ now: () => nowMs });
  for (let count = 0; count < 65_536; count += 1) spent.spend(String(count));
  expect(spent.spend("one more")).toBe(false);
  nowMs = 180_000;
  expect(spent.spend("one more")).toBe(true);
});
