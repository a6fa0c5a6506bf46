import { parseArgs } from "node:util";
import { FAULT_NAMES } from "../placement/simulation/faults.ts";
import { simulate } from "../placement/simulation/simulation.ts";

/** Broken seeds that are shown; then the run ends. */
const BROKEN_MAX = 20;
const NEWS_EVERY = 1_000;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    first: { type: "string", default: "1" },
    moves: { type: "boolean", default: false },
    only: { type: "string" },
    trace: { type: "boolean", default: false },
  },
});
const onTrace = values.trace ? (text: string) => void process.stdout.write(`${text}\n`) : undefined;
const only = values.only?.split(",").map((name) => {
  const fault = FAULT_NAMES.find((each) => each === name);
  if (fault === undefined) throw new Error(`--only: one or more of ${FAULT_NAMES.join(",")}`);
  return fault;
});
const options = {
  hasMoves: values.moves,
  ...(only === undefined ? {} : { only }),
  ...(onTrace === undefined ? {} : { onTrace }),
};
const [seeds, first] = [Number(values.seeds), Number(values.first)];
let broken = 0;
const startedMs = performance.now();
for (let seed = first; seed < first + seeds && broken < BROKEN_MAX; seed += 1) {
  const found = await simulate(seed, options);
  if (found.length > 0) {
    broken += 1;
    process.stdout.write(`seed ${seed}: ${found.join("; ")}\n`);
  }
  if ((seed - first + 1) % NEWS_EVERY !== 0) continue;
  const seconds = Math.round((performance.now() - startedMs) / 1_000);
  process.stdout.write(`${seed - first + 1} seeds, ${broken} broken, ${seconds} s\n`);
}
process.stdout.write(`${seeds} seeds from ${first}: ${broken} broken\n`);
process.exitCode = broken === 0 ? 0 : 1;
