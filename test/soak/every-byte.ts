import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import type { Load } from "../../bench/relay-cost/load.ts";
import { buildNativeTools, type NativeTools } from "../../bench/relay-cost/native-tools.ts";
import { residentMb } from "../../bench/relay-cost/usage.ts";
import { ROOT } from "../support/processes/fanfare-process.ts";
import { type ClipOptions, makeClip } from "../support/streams/clip.ts";
import { type Delivery, deliver, faultsBehindFirst, faultsOf } from "../support/streams/whole-delivery.ts";
import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";

const USAGE = `usage: npm run every-byte -- [--write] [--times N]

Does what the tests of the same name do, with as much load as two cores carry. Every frame that every target gets is compared with what its encoder
sent: bytes, place, time. Exits with 1 if anything is wrong. --write puts the result into docs/results/every-byte.md. --times: N times as long.
`;

const values = programOptions(USAGE, {
  write: { type: "boolean", default: false },
  times: { type: "string", default: "1" },
});

type Case = {
  readonly name: string;
  readonly clip: ClipOptions;
  readonly channelCount: number;
  readonly fanOut: number;
  readonly speed?: number;
  readonly rounds: number;
  /** Targets may come too late for the start of the stream: 2 s of media pass quickly, or many are dialled. */
  readonly mayJoinLate?: boolean;
  /** Every so manieth connection stops reading, one after the other. */
  readonly stick?: readonly number[];
};

const LOW: ClipOptions = { seconds: 3, kilobits: 100, size: "160x120", framesPerSecond: 5, sampleRate: 8_000 };
const HUGE: ClipOptions = { seconds: 2, kilobits: 60_000, size: "1280x720" };
const STUCK_MS = 12_000;
const CASES: readonly Case[] = [
  {
    name: "1 × real time",
    clip: { seconds: 10, kilobits: 6_000, size: "1280x720" },
    channelCount: 10,
    fanOut: 20,
    rounds: 2,
  },
  {
    name: "4 × real time",
    clip: { seconds: 4 },
    channelCount: 10,
    fanOut: 20,
    speed: 4,
    rounds: 20,
    mayJoinLate: true,
  },
  {
    name: "10 × real time",
    clip: { seconds: 4, kilobits: 400 },
    channelCount: 10,
    fanOut: 20,
    speed: 10,
    rounds: 50,
    mayJoinLate: true,
  },
  { name: "60 Mbit/s, keyframes of 300 KiB", clip: HUGE, channelCount: 1, fanOut: 15, rounds: 10 },
  { name: "100 targets of one channel", clip: { seconds: 4 }, channelCount: 1, fanOut: 100, rounds: 8 },
  { name: "500 channels", clip: LOW, channelCount: 500, fanOut: 1, rounds: 10, mayJoinLate: true },
  {
    name: "60 Mbit/s, one, then half of the targets stuck",
    clip: HUGE,
    channelCount: 1,
    fanOut: 10,
    rounds: 15,
    stick: [10, 2],
  },
];

type Outcome = {
  readonly delivery: Delivery;
  readonly faults: readonly string[];
  readonly megabytes: readonly number[];
};

async function run(one: Case, tools: NativeTools): Promise<Outcome> {
  const { clip: clipOptions, channelCount, fanOut, speed = 1, stick = [] } = one;
  const { path: clip } = await makeClip(clipOptions);
  const megabytes: number[] = [];
  let stuck = 0;
  const during = async ({ sink, pids }: Load) => {
    await pass(2_000);
    megabytes.push(await residentMb(pids));
    for (const every of stick) {
      stuck = await sink.stick(every);
      await pass(STUCK_MS);
      megabytes.push(await residentMb(pids));
    }
  };
  const rounds = one.rounds * Number(values.times);
  const delivery = await deliver({ tools, clip, channelCount, fanOut, speed, rounds, during });
  const faults = (one.mayJoinLate === true ? faultsBehindFirst : faultsOf)(delivery, channelCount * fanOut - stuck);
  return { delivery, faults, megabytes };
}

function row({ name, channelCount, fanOut }: Case, { delivery, faults, megabytes }: Outcome): string {
  const { bytes, whole } = delivery.got;
  const cells = [name, `${channelCount} × ${fanOut}`, (bytes / 1e9).toFixed(2), whole.toLocaleString("en")];
  return `| ${[...cells, faults.length === 0 ? "none" : `**${faults.join(", ")}**`, megabytes.map(Math.round).join(", ")].join(" | ")} |`;
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-every-byte-"));
const rows: string[] = [];
let isWhole = true;
try {
  const tools = await buildNativeTools(folder);
  for (const one of CASES) {
    const outcome = await run(one, tools);
    if (outcome.faults.length > 0) isWhole = false;
    rows.push(row(one, outcome));
    process.stdout.write(`${rows.at(-1)}\n`);
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}
const page = `# Every byte, at every target

\`npm run every-byte -- --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Encoders end their streams after a few rounds of a clip; every frame that every target got until then is
compared with what was sent: its bytes, its place, its time counted from the connection's first frame, and that headers came first. Targets that stop reading on
purpose are not counted, and those that connect again in their place start over. Faster than real time, and with 500 channels, a target counts from its first keyframe.
Memory: the process's, after 2 s, and ${STUCK_MS / 1_000} s after one, then half of the targets stopped reading.

| | channels × targets | GB | frames compared | wrong | MB resident |
|---|---|---|---|---|---|
${rows.join("\n")}

${table(["machine", ""], machineRows())}
`;
process.stdout.write(page);
if (values.write) await writeFile(join(ROOT, "docs", "results", "every-byte.md"), page);
process.exit(isWhole ? 0 : 1);
