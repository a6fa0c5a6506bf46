import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";
import { FLOODS, type FloodFigures, LINK_BYTES, runSrtFlood } from "./srt/flood-run.ts";

const USAGE = `usage: npm run srt-flood -- [--seconds 10] [--datagrams 20000] [--gap 100] [--only KIND]

So many hostile datagrams a second, of each kind in turn, for the SRT port of a real server, from a network namespace: with made-up
senders, half handshakes, and encoders that storm their own connection. Beside them a healthy channel over RTMP and one over SRT. Needs
root, Python and FFmpeg. Exits with 1 where a healthy platform's gap, less the time that a busy machine kept server and
encoder from a processor, is above --gap milliseconds, the server sends more bytes than it gets, or its memory grows by more than 128 MiB.
`;
const MEBIBYTE = 1_048_576;
const GROWTH_MAX_BYTES = 128 * MEBIBYTE;

const values = programOptions(USAGE, {
  seconds: { type: "string", default: "10" },
  datagrams: { type: "string", default: "20000" },
  gap: { type: "string", default: "100" },
  only: { type: "string" },
});
const [secondsEach = 0, perSecond = 0, gapMaxMs = 0] = [values.seconds, values.datagrams, values.gap].map(Number);
if (![secondsEach, perSecond, gapMaxMs].every((value) => value > 0)) throw new Error("all numbers are above 0");

const kinds = values.only === undefined ? FLOODS : FLOODS.filter((kind) => kind === values.only);
if (kinds.length === 0) throw new Error(`--only is one of ${FLOODS.join(", ")}`);
const problems: string[] = [];
let firstBytes: number | undefined;
const mebibytes = (bytes: number) => (bytes / MEBIBYTE).toFixed(1);

function show(figures: FloodFigures): void {
  const { flood, perSecond: reached, inBytes, outBytes, rtmpGapMs, srtGapMs, waitedMs, residentBytes } = figures;
  firstBytes ??= residentBytes;
  const times = inBytes === 0 ? "–" : (outBytes / inBytes).toFixed(3);
  const cells = [flood, reached, mebibytes(inBytes), mebibytes(outBytes), times, rtmpGapMs, srtGapMs, waitedMs];
  process.stdout.write(`| ${[...cells, mebibytes(residentBytes)].join(" | ")} |\n`);
  if (outBytes > inBytes + LINK_BYTES) problems.push(`${flood}: more bytes out than in`);
  if (Math.max(rtmpGapMs, srtGapMs) - waitedMs > gapMaxMs) problems.push(`${flood}: a gap above ${gapMaxMs} ms`);
  if (residentBytes - firstBytes > GROWTH_MAX_BYTES) problems.push(`${flood}: memory has grown`);
}

process.stdout.write(
  "| flood | datagrams a second | MiB in | MiB out | out / in | gap RTMP, ms | gap SRT, ms | waited, ms | MiB resident |\n",
);
process.stdout.write("|---|---|---|---|---|---|---|---|---|\n");
await runSrtFlood({ secondsEach, perSecond, from: "dist", kinds }, show);
process.stdout.write(`\n${table(["machine", ""], machineRows())}\n`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
