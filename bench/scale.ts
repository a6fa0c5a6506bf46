import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { machineRows, table } from "../test/soak/machine.ts";
import { ROOT } from "../test/support/processes/fanfare-process.ts";
import { freePort } from "../test/support/processes/free-port.ts";
import { type Clip, makeClip } from "../test/support/streams/clip.ts";
import { fanfareWith } from "./relay-cost/fanfare-relay.ts";
import { buildNativeTools, type NativeTools } from "./relay-cost/native-tools.ts";
import { Ramp, type RampStep } from "./scale/ramp.ts";

/**
 * Adds channels step by step until the first loss, and goes on beyond it: how much one server carries with so many
 * media threads, and what it says where it carries no more. README.md in this folder.
 */
const LOW_KILOBITS = 2_000;

const { values } = parseArgs({
  options: {
    /** Numbers of media threads, each a server of its own. */
    threads: { type: "string", default: "1,2" },
    kilobits: { type: "string", default: "500" },
    "fan-out": { type: "string", default: "3" },
    /** Channels that each step adds. */
    step: { type: "string", default: "100" },
    "channels-max": { type: "string", default: "1000" },
    /** Steps after the first one with a loss. */
    beyond: { type: "string", default: "2" },
    settle: { type: "string", default: "8" },
    seconds: { type: "string", default: "10" },
    /** The path of the result; without it nothing is written. */
    out: { type: "string" },
  },
});
const [kilobits, fanOut, step, channelsMax, beyond] = [
  values.kilobits,
  values["fan-out"],
  values.step,
  values["channels-max"],
  values.beyond,
].map(Number) as [number, number, number, number, number];

async function ramp(threads: number, clip: Clip, tools: NativeTools): Promise<readonly RampStep[]> {
  const folder = await mkdtemp(join(tmpdir(), "fanfare-scale-"));
  const relay = fanfareWith({ FANFARE_MEDIA_THREADS: String(threads) });
  const task = { channelCount: channelsMax, fanOut, sink: `127.0.0.1:${await freePort()}`, folder, tools };
  const running = await Ramp.start(relay, { ...task, isTls: false, isQuick: false, authority: undefined }, clip);
  const steps: RampStep[] = [];
  try {
    let stepsWithLoss = 0;
    while (steps.length * step < channelsMax && stepsWithLoss <= beyond) {
      const one = await running.step(step, Number(values.settle), Number(values.seconds));
      steps.push(one);
      process.stdout.write(`${JSON.stringify({ threads, ...one })}\n`);
      if (one.losses.length > 0) stepsWithLoss += 1;
    }
    return steps;
  } finally {
    await running.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const percent = (share: number) => `${(share * 100).toFixed(share > 0.999 ? 0 : 1)} %`;

function rows(steps: readonly RampStep[]): string {
  const lines = steps.map((one) => {
    const cells = [
      `${one.channels}`,
      `${one.outputs}`,
      (one.bytesPerSecond / 1e6).toFixed(1),
      percent(one.deliveredShare),
      `${one.p50Ms.toFixed(0)} / ${one.p99Ms.toFixed(0)}`,
      one.loads.map(percent).join(", "),
      one.relayCores.toFixed(2),
      percent(one.machineBusyShare),
      [...one.losses, ...one.says].join("; ") || "nothing lost",
    ];
    return `| ${cells.join(" | ")} |`;
  });
  return [
    "| channels | outputs | MB/s out | delivered | ms p50 / p99 | media threads busy | cores of the server | machine busy | |",
    "|---|---|---|---|---|---|---|---|---|",
    ...lines,
  ].join("\n");
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-scale-tools-"));
try {
  const tools = await buildNativeTools(folder);
  const clip = await makeClip({ seconds: 10, kilobits, size: kilobits < LOW_KILOBITS ? "640x360" : "1280x720" });
  const parts: string[] = [];
  for (const threads of values.threads.split(",").map(Number)) {
    const steps = await ramp(threads, clip, tools);
    const first = steps.find(({ losses }) => losses.length > 0);
    const before = steps.findLast(({ losses }) => losses.length === 0);
    const carried =
      before === undefined
        ? ""
        : `${before.outputs} outputs, ${(before.bytesPerSecond / 1e6).toFixed(1)} MB/s, without a loss. `;
    const lost = first === undefined ? "No loss." : `First loss with ${first.outputs} outputs.`;
    parts.push(`## ${threads} media thread${threads === 1 ? "" : "s"}\n\n${carried}${lost}\n\n${rows(steps)}\n`);
  }
  const text = `# How far one server goes

\`npm run bench:scale -- ${process.argv.slice(2).join(" ")}\`, ${new Date().toISOString().slice(0, 10)}: channels of ${kilobits} kbit/s with ${fanOut} targets each, ${step} more in each step.
Encoders and sink run on the same ${availableParallelism()} cores and take their share of them. *Delivered*: bytes at all targets, of the media that was due in ${values.seconds} s; headers are 1 to 3 % more.
Latency and frames: of 20 connections, byte for byte. *Busy* of a thread: the share of its time, as the server reports it.

${parts.join("\n")}
${table(["machine", ""], machineRows())}
`;
  process.stdout.write(text);
  if (values.out !== undefined) await writeFile(join(ROOT, `${values.out}.md`), text);
} finally {
  await rm(folder, { recursive: true, force: true });
}
