import { parseArgs } from "node:util";
import { freezeOwners } from "./scenarios/freezes.ts";
import { killOwners } from "./scenarios/kills.ts";
import { Lab } from "./lab.ts";
import { outage } from "./scenarios/outages.ts";
import { CUTS, cutOwner } from "./scenarios/cuts.ts";

const USAGE = `usage: npm run cluster-lab -- [--kills N] [--freezes N] [--outages SECONDS] [--cuts SECONDS]

Three nodes behind HAProxy on one PostgreSQL and NATS, on this machine, with channels on air.
  --kills N    kills a node that owns channels with SIGKILL, N times, while encoders stream and clients write
  --freezes N  stops an owner for 20 s with SIGSTOP, N times; another node takes over, and the owner wakes
  --outages S  takes NATS away for so many seconds, then PostgreSQL, and compares every frame at the targets
  --cuts S     cuts an owner off from NATS, PostgreSQL, both, and the links of the other nodes, for so many seconds each
Prints what was measured; exits with 1 if anything is not as it must be.
`;
const CHANNELS = 4;
/** The goal for an encoder that waits two seconds before it comes back, in milliseconds. */
const BACK_MS_MAX = 3_500;
const OVERLAP_MS_MAX = 1_000;
const FROZEN_MS = 20_000;

const { values } = parseArgs({
  options: {
    kills: { type: "string" },
    freezes: { type: "string" },
    outages: { type: "string" },
    cuts: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const RUNS = {
  kills: [{ channels: CHANNELS }, runKills],
  freezes: [{ channels: 1, isProxied: false }, runFreezes],
  cuts: [{ channels: 1, messagesMax: 1_000_000, isProxied: false, canBeCut: true }, runCuts],
  outages: [{ channels: 2, messagesMax: 1_000_000, isProxied: false }, runOutages],
} as const;
const wanted = (["kills", "freezes", "outages", "cuts"] as const).filter((name) => values[name] !== undefined);
if (values.help || wanted.length === 0 || !wanted.every((name) => count(values[name]) !== undefined)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const faults: string[] = [];
for (const name of wanted) {
  const [options, run] = RUNS[name];
  const lab = await Lab.start(options);
  try {
    faults.push(...(await run(lab, count(values[name]) ?? 0)));
  } finally {
    await lab.close();
  }
}
for (const fault of faults) say(`NOT AS IT MUST BE: ${fault}`);
process.exit(faults.length === 0 ? 0 : 1);

async function runKills(lab: Lab, times: number): Promise<readonly string[]> {
  const result = await killOwners(lab, times, (no, longestMs) => say(`${no}: back after ${Math.round(longestMs)} ms`));
  const { backMs, refusals, overlapMs, writes } = result;
  say(`| kills of a node that owns channels | ${times} |`);
  say(`| until a target had media again: p50, p90, p99, longest | ${quantiles(backMs)} (${backMs.length} waits) |`);
  say(`| two connections of one target with media at the same time, longest | ${Math.round(overlapMs)} ms |`);
  say(`| acknowledged writes meanwhile, requests without an answer | ${writes.acknowledged}, ${writes.unanswered} |`);
  say(`| encoders refused | ${refusals} |`);
  const isLate = at(backMs, 0.99) > BACK_MS_MAX;
  return [
    ...result.faults,
    ...(isLate ? [`p99 is over ${BACK_MS_MAX} ms`] : []),
    ...(overlapMs > OVERLAP_MS_MAX ? [`two publishers for ${Math.round(overlapMs)} ms`] : []),
    ...(refusals > 0 ? [`${refusals} publishes were refused`] : []),
  ];
}

async function runFreezes(lab: Lab, times: number): Promise<readonly string[]> {
  const { backMs, overlapMs, faults: found } = await freezeOwners(lab, times, FROZEN_MS);
  say(`| freezes of an owner, each ${FROZEN_MS / 1_000} s | ${times} |`);
  say(`| from the next encoder's connection to media at the targets: p50, p90, p99, longest | ${quantiles(backMs)} |`);
  say(`| two connections of one target with media at the same time, longest | ${Math.round(overlapMs)} ms |`);
  return [...found, ...(overlapMs > OVERLAP_MS_MAX ? [`two publishers for ${Math.round(overlapMs)} ms`] : [])];
}

async function runOutages(lab: Lab, seconds: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const service of ["nats", "postgres"] as const) {
    const { frames, knownKeyMs, faults: wrong } = await outage(lab, service, seconds * 1_000);
    const known = knownKeyMs === undefined ? "not accepted" : `${Math.round(knownKeyMs)} ms`;
    say(`| ${service} away for ${seconds} s: frames compared, wrong | ${frames}, ${wrong.length} |`);
    say(`| ${service} away: a known key is accepted after | ${known} |`);
    found.push(...wrong, ...(knownKeyMs === undefined ? [`${service} away: a known key was not accepted`] : []));
  }
  return found;
}

async function runCuts(lab: Lab, seconds: number): Promise<readonly string[]> {
  const found: string[] = [];
  for (const cut of CUTS) {
    const { frames, visit, overlapMs, faults: wrong } = await cutOwner(lab, cut, seconds * 1_000);
    say(`| owner cut off from ${cut} for ${seconds} s: frames compared, wrong | ${frames}, ${wrong.length} |`);
    say(`| … an encoder with the second key at another node, two publishers | ${visit}, ${Math.round(overlapMs)} ms |`);
    found.push(
      ...wrong,
      ...(overlapMs > OVERLAP_MS_MAX ? [`${cut}: two publishers for ${Math.round(overlapMs)} ms`] : []),
    );
  }
  return found;
}

function count(text: string | undefined): number | undefined {
  return text !== undefined && /^[1-9]\d{0,5}$/.test(text) ? Number(text) : undefined;
}

function at(valuesMs: readonly number[], part: number): number {
  const sorted = valuesMs.toSorted((left, right) => left - right);
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0;
}

function quantiles(valuesMs: readonly number[]): string {
  return [0.5, 0.9, 0.99, 1].map((part) => `${(at(valuesMs, part) / 1_000).toFixed(2)} s`).join(", ");
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
