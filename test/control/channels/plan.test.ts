import { expect, test } from "vitest";
import { DEFAULT_PLAN_LIMITS, parsePlanLimits } from "../../../src/control/channels/plan.ts";

test("plans that are not named keep their limit", () => {
  expect(DEFAULT_PLAN_LIMITS).toEqual({ STANDARD: 3, PROFESSIONAL: 5, UNLIMITED: 0 });
  expect(parsePlanLimits("STANDARD=10")).toEqual({ STANDARD: 10, PROFESSIONAL: 5, UNLIMITED: 0 });
  expect(parsePlanLimits(" STANDARD=1, PROFESSIONAL=0,UNLIMITED=7 ")).toEqual({
    STANDARD: 1,
    PROFESSIONAL: 0,
    UNLIMITED: 7,
  });
});

test.each([
  "",
  "STANDARD",
  "STANDARD=",
  "STANDARD=-1",
  "STANDARD=1.5",
  "FREE=1",
  "STANDARD=1,STANDARD=2",
  "STANDARD=1;",
])("%j is refused as a list of limits", (text) => {
  expect(parsePlanLimits(text)).toBeUndefined();
});
