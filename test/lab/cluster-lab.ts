import { parseArgs } from "node:util";
import { Lab } from "./lab.ts";
import { LAB_RUNS } from "./lab-runs.ts";

const USAGE = `usage: npm run cluster-lab -- [--RUN N]…

Three nodes on one PostgreSQL and NATS, on this machine, with channels on air.
${Object.entries(LAB_RUNS)
  .map(([name, { usage }]) => `  --${name.padEnd(8)} ${usage}`)
  .join("\n")}
Prints what was measured; exits with 1 if anything is not as it must be.
`;

const HELP = { help: { type: "boolean", default: false } } as const;
const counts = Object.fromEntries(Object.keys(LAB_RUNS).map((name) => [name, { type: "string" } as const]));
const values: Readonly<Record<string, unknown>> = parseArgs({ options: { ...counts, ...HELP } }).values;
const wanted = Object.entries(LAB_RUNS).flatMap(([name, each]) => {
  const text = values[name];
  return text === undefined ? [] : [{ ...each, count: countIn(text) }];
});
if (values["help"] === true || wanted.length === 0 || !wanted.every(({ count }) => count !== undefined)) {
  process.stdout.write(USAGE);
  process.exit(values["help"] === true ? 0 : 2);
}
const faults: string[] = [];
for (const { options: labOptions, run, count = 0 } of wanted) {
  const lab = await Lab.start(labOptions);
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
