import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { Lab } from "./lab.ts";
import { LAB_RUNS } from "./lab-runs.ts";

const USAGE = `usage: npm run cluster-lab -- [--RUN N]… [--in-hosts] [--other FOLDER]

Three nodes on one PostgreSQL and NATS, on this machine, with channels on air.
${Object.entries(LAB_RUNS)
  .map(([name, { usage }]) => `  --${name.padEnd(8)} ${usage}`)
  .join("\n")}
  --in-hosts each node has a host of its own, a network namespace, also where a run does not need that (root)
  --other    FOLDER  another version of Fanfare with its node_modules: versions needs it, upgrades begin with it
Prints what was measured; exits with 1 if anything is not as it must be.
`;

const MORE = {
  help: { type: "boolean", default: false },
  other: { type: "string" },
  "in-hosts": { type: "boolean", default: false },
} as const;
const counts = Object.fromEntries(Object.keys(LAB_RUNS).map((name) => [name, { type: "string" } as const]));
const values: Readonly<Record<string, unknown>> = parseArgs({ options: { ...counts, ...MORE } }).values;
const wanted = Object.entries(LAB_RUNS).flatMap(([name, each]) => {
  const text = values[name];
  return text === undefined ? [] : [{ ...each, count: countIn(text) }];
});
const root = typeof values["other"] === "string" ? resolve(values["other"]) : undefined;
const isComplete = wanted.every(
  ({ count, other }) => count !== undefined && !(other?.isNeeded === true && root === undefined),
);
if (values["help"] === true || wanted.length === 0 || !isComplete) {
  process.stdout.write(USAGE);
  process.exit(values["help"] === true ? 0 : 2);
}
const faults: string[] = [];
for (const { options: labOptions, other, run, count = 0 } of wanted) {
  const installed = root === undefined || other === undefined ? {} : { other: { root, nodes: other.nodes } };
  const network = values["in-hosts"] === true ? { network: "hosts" as const } : {};
  const lab = await Lab.start({ ...network, ...labOptions, ...installed });
  try {
    faults.push(...(await run(lab, count)));
  } finally {
    await lab.close();
  }
}
for (const fault of faults) process.stdout.write(`NOT AS IT MUST BE: ${fault}\n`);
process.exit(faults.length === 0 ? 0 : 1);

function countIn(text: unknown): number | undefined {
  return typeof text === "string" && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}
