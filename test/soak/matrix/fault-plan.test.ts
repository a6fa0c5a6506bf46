import { expect, test } from "vitest";
import { drawPlan, type PlannedFault, TARGET_FAULTS } from "./fault-plan.ts";

const HOUR = { fromMs: 5_000, untilMs: 3_600_000, everyMs: 10_000, channels: 10, faultyTargets: 2 };

const placeOf = (fault: PlannedFault): string =>
  "target" in fault ? `${fault.channel}/${fault.target}` : `${fault.channel}`;

test("a seed is a plan: the same again, and another for another", () => {
  expect(drawPlan({ seed: 1, ...HOUR })).toEqual(drawPlan({ seed: 1, ...HOUR }));
  expect(drawPlan({ seed: 1, ...HOUR })).not.toEqual(drawPlan({ seed: 2, ...HOUR }));
});

test.each([1, 2, 3, 4, 5])(
  "every ten seconds something fails, nowhere twice at once, and all is well at the end (seed %i)",
  (seed) => {
    const plan = drawPlan({ seed, ...HOUR });
    expect(plan.map(({ atMs }) => atMs)).toEqual(plan.map((_, index) => HOUR.fromMs + index * HOUR.everyMs));
    expect(plan).toHaveLength(360);
    const busyUntilMs = new Map<string, number>();
    for (const fault of plan) {
      expect(fault.atMs).toBeGreaterThanOrEqual(busyUntilMs.get(placeOf(fault)) ?? 0);
      busyUntilMs.set(placeOf(fault), fault.atMs + fault.forMs);
      expect(fault.atMs + fault.forMs).toBeLessThanOrEqual(HOUR.untilMs);
    }
  },
);

test("in an hour every kind of fault comes, at every channel", () => {
  const plan = drawPlan({ seed: 1, ...HOUR });
  const kinds = new Set(plan.map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual([...TARGET_FAULTS, "encoder-freeze", "encoder-reset"].sort());
  expect(new Set(plan.map(({ channel }) => channel)).size).toBe(10);
});
