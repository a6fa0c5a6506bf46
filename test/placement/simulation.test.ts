import { expect, test } from "vitest";
import type { FaultName } from "./simulation/faults.ts";
import type { Mutant } from "./simulation/shared-database.ts";
import { simulate } from "./simulation/simulation.ts";

/** More by `npm run simulate-placement -- --seeds 100000`. */
const SEEDS = Number(process.env["PLACEMENT_SEEDS"] ?? 300);
const FIRST = Number(process.env["PLACEMENT_FIRST"] ?? 1);
/** The same in which nodes also give each other channels; more with `--moves`. */
const MOVE_SEEDS = 100;
const MUTANT_SEEDS = 60;
/** The faults that isolate a node, alone: then less seeds show what it does. */
const ISOLATING: readonly FaultName[] = ["host-cut", "bus-split", "bus-cut", "database-away", "encoders-leave"];
const ISOLATED_SEEDS = 300;

test(`nodes, the database and the network fail, and every invariant holds (${SEEDS} seeds)`, async () => {
  const broken: string[] = [];
  for (let seed = FIRST; seed < FIRST + SEEDS && broken.length < 10; seed += 1) {
    const found = await simulate(seed);
    if (found.length > 0) broken.push(`seed ${seed}: ${found.join("; ")}`);
  }
  expect(broken).toEqual([]);
});

test(`the same while nodes give each other channels (${MOVE_SEEDS} seeds)`, async () => {
  const broken: string[] = [];
  for (let seed = 1; seed <= MOVE_SEEDS; seed += 1) {
    const found = await simulate(seed, { hasMoves: true });
    if (found.length > 0) broken.push(`seed ${seed}: ${found.join("; ")}`);
  }
  expect(broken).toEqual([]);
});

test(`the same with the faults that isolate a node (${ISOLATED_SEEDS} seeds)`, async () => {
  const broken: string[] = [];
  for (let seed = FIRST; seed < FIRST + ISOLATED_SEEDS && broken.length < 10; seed += 1) {
    const found = await simulate(seed, { only: ISOLATING });
    if (found.length > 0) broken.push(`seed ${seed}: ${found.join("; ")}`);
  }
  expect(broken).toEqual([]);
});

const MUTANTS: readonly (readonly [Exclude<Mutant, undefined>, RegExp])[] = [
  ["no-seen-epoch", /a healthy owner of ls-\d with epoch \d+ was replaced/],
  ["row-deleted", /I2: the epoch of ls-\d fell/],
  ["no-check-after-freeze", /I4: woke and sent/],
  // An owner that stands still for a moment counts as gone.
  ["no-kernel-asked", /a healthy owner of ls-\d with epoch \d+ was replaced/],
];

test.for(MUTANTS)("with the fault %s an invariant breaks", async ([mutant, invariant]) => {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed += 1) {
    const found = await simulate(seed, { mutant });
    if (found.some((each) => invariant.test(each))) return;
  }
  expect.fail("no invariant broke");
});

const ISOLATED_MUTANTS: readonly (readonly [Exclude<Mutant, undefined>, RegExp])[] = [
  ["no-end-of-hold", /I4: isolated, held and sent/],
  ["former-told-once", /I4: had a link and sent/],
  // A node that is connected to a server of the bus which is cut off from the others does not know it.
  ["nobody-counts-as-silent", /I4: /],
];

test.for(ISOLATED_MUTANTS)(
  "with the fault %s an invariant breaks where nodes are isolated",
  async ([mutant, invariant]) => {
    for (let seed = 1; seed <= ISOLATED_SEEDS; seed += 1) {
      const found = await simulate(seed, { mutant, only: ISOLATING });
      if (found.some((each) => invariant.test(each))) return;
    }
    expect.fail("no invariant broke");
  },
);
