import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { Descriptors, descriptorLimit } from "../../src/net/kernel/descriptors.ts";
import { ManualClock } from "../control/manual-clock.ts";
import { HAS_PROC } from "../support/processes/descriptors.ts";

function stage(limit: number | undefined, open: number | undefined) {
  const clock = new ManualClock();
  const machine = { open, counted: 0 };
  const count = () => {
    machine.counted += 1;
    return machine.open;
  };
  const descriptors = new Descriptors(clock, { limit, count });
  const takeAll = () => {
    let taken = 0;
    while (taken < 10_000 && descriptors.take()) taken += 1;
    return taken;
  };
  return { clock, machine, descriptors, takeAll };
}

test.each([
  [64, 40, 12],
  [120, 38, 67],
  [1_024, 40, 856],
  [4_096, 100, 3_868],
])(
  "of %i descriptors, with %i open, connections may take %i: the last eighth, 12 to 128, is kept",
  (limit, open, free) => {
    expect(stage(limit, open).takeAll()).toBe(free);
  },
);

test("descriptors are counted twice a second, and what was taken since is added", () => {
  const { clock, machine, takeAll } = stage(64, 40);
  expect([takeAll(), machine.counted]).toEqual([12, 1]);
  machine.open = 41;
  clock.advance(499);
  expect([takeAll(), machine.counted]).toEqual([0, 1]);
  clock.advance(1);
  expect([takeAll(), machine.counted]).toEqual([11, 2]);
});

test("without a descriptor for counting there is none", () => {
  expect(stage(64, undefined).takeAll()).toBe(0);
});

test("descriptors are not counted where the limit is large or not known", () => {
  for (const limit of [undefined, 65_536]) {
    const { machine, takeAll } = stage(limit, 1_000_000);
    expect([takeAll(), machine.counted]).toEqual([10_000, 0]);
  }
});

test.runIf(HAS_PROC)("this process's own limit is read", () => {
  expect(descriptorLimit()).toBeGreaterThan(readdirSync("/proc/self/fd").length);
});
