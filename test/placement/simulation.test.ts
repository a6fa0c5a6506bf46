import { expect, test } from "vitest";
import type { Mutant } from "./simulation/shared-database.ts";
import { simulate } from "./simulation/simulation.ts";

/** More by `npm run simulate-placement -- --seeds 100000`. */
const SEEDS = Number(process.env["PLACEMENT_SEEDS"] ?? 300);
const FIRST = Number(process.env["PLACEMENT_FIRST"] ?? 1);
/** The same in which nodes also give each other channels; more with `--moves`. */
const MOVE_SEEDS = 100;
const MUTANT_SEEDS = 60;
/** Seeds that broke an invariant, and do so again without what mended them. */
const MENDED: readonly number[] = [
  // A node stood still for 1.3 s while it asked an owner, and did not read the answer before the owner's time was over.
  6_068_328,
];

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
    const found = await simulate(seed, undefined, true);
    if (found.length > 0) broken.push(`seed ${seed}: ${found.join("; ")}`);
  }
  expect(broken).toEqual([]);
});

test.for(MENDED)("seed %i, which once broke an invariant, breaks none", async (seed) => {
  expect(await simulate(seed)).toEqual([]);
});

const MUTANTS: readonly (readonly [Exclude<Mutant, undefined>, RegExp])[] = [
  ["no-seen-epoch", /a healthy owner of ls-\d with epoch \d+ was replaced/],
  ["row-deleted", /I2: the epoch of ls-\d fell/],
  ["no-check-after-freeze", /I4: woke and sent/],
];

test.for(MUTANTS)("with the fault %s an invariant breaks", async ([mutant, invariant]) => {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed += 1) {
    const found = await simulate(seed, mutant);
    if (found.some((each) => invariant.test(each))) return;
  }
  expect.fail("no invariant broke");
});
