import { randomInt } from "node:crypto";
import { runSrtCallerFuzz } from "./fuzzing/srt-caller-fuzz-run.ts";
import type { SrtFuzzCosts } from "./fuzzing/srt-fuzz-parts.ts";
import { runSrtFuzz } from "./fuzzing/srt-fuzz-run.ts";
import { programOptions } from "./program-options.ts";

const USAGE = `usage: npm run srt-fuzz -- [--packets 1000000] [--seed NUMBER] [--caller]

Damaged and made-up datagrams for the SRT listener and the demuxers behind it, on virtual time, beside a healthy encoder. Exits with 1
where something throws, a reply is longer than its request, too much memory is kept, or the healthy encoder's gap is above 100 ms.
With --caller: the same for our caller, from a hostile platform. Exits with 1 also where it makes us send too much again.
`;
const SEED_MAX = 2 ** 31;
const MEBIBYTE = 1_048_576;

const values = programOptions(USAGE, {
  packets: { type: "string", default: "1000000" },
  seed: { type: "string", default: `${randomInt(SEED_MAX)}` },
  caller: { type: "boolean", default: false },
});
const [packets = 0, seed = 0] = [values.packets, values.seed].map(Number);
if (!(packets > 0 && Number.isInteger(seed))) throw new Error("all options are numbers");
process.stdout.write(`seed ${seed}\n`);
let found: string;
let costs: SrtFuzzCosts;
if (values.caller) {
  const { connected, ends, ...rest } = await runSrtCallerFuzz(packets, seed);
  [found, costs] = [`${connected} connections, ends ${JSON.stringify(ends)}`, rest];
} else {
  const { accepted, gapMs, ...rest } = await runSrtFuzz(packets, seed);
  [found, costs] = [`${accepted} hostile connections, gap ${gapMs} ms`, rest];
}
process.stdout.write(
  `${costs.packets} packets, ${found}, at most ${costs.stepCpuMs.toFixed(1)} ms of processor time in 10 ms, ` +
    `kept at most ${(costs.keptBytes / MEBIBYTE).toFixed(1)} MiB\n`,
);
