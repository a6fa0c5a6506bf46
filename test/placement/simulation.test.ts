import { expect, test } from "vitest";
import type { Mutant } from "./simulation/shared-database.ts";
import { simulate } from "./simulation/simulation.ts";

/** More by `npm run simulate-placement -- --seeds 100000`. */
const SEEDS = Number(process.env["PLACEMENT_SEEDS"] ?? 300);
const FIRST = Number(process.env["PLACEMENT_FIRST"] ?? 1);
/** The same in which nodes also give each other channels; more with `--moves`. */
const MOVE_SEEDS = 100;
const MUTANT_SEEDS = 60;
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
