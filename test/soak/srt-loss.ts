import { randomInt } from "node:crypto";
import { HEADER_BYTES, isControl } from "../../src/protocol/srt/wire/packet.ts";
import { UdpFaultProxy, type UdpFaults } from "../../src/testkit/proxy/udp-fault-proxy.ts";
import { startSrtTransmit } from "../support/encoders/srt-encoder.ts";
import { freePort } from "../support/processes/free-port.ts";
import { seededRandom } from "../support/stages/seeded-random.ts";
import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";
import { Arrivals, MarkedInput } from "./srt/marked-input.ts";
import { fanfareReceiver, libsrtReceiver, type SrtReceiver } from "./srt/srt-receivers.ts";

const USAGE = `usage: npm run srt-loss -- [--seconds 20] [--seed NUMBER] [--kilobits 2000]

Fanfare's SRT listener beside libsrt's (srt-live-transmit), each behind a network that loses datagrams, with the same input at the
same time. The sender is srt-live-transmit for both. Prints a table. Exits with 1 where Fanfare delivers less than libsrt at a random
loss of up to 5 %.
`;
const SEED_MAX = 2 ** 31;
const RTTS_OF_LATENCY = 4;
const RETRANSMITTED = 0x04000000;
const CONNECT_DEADLINE_MS = 15_000;
const BURSTS = { everyMs: 4_000, lastMs: 200 };
/** Chance differs between the two networks: one more lost packet in a thousand is no difference. */
const SHARE_TOLERANCE = 0.001;

const LOSSES = [0, 0.01, 0.05, 0.1];
const CASES: readonly UdpFaults[] = [
  ...[20, 60, 200].flatMap((delayMs) => LOSSES.map((loss) => ({ loss, delayMs }))),
  ...[20, 60, 200].map((delayMs) => ({ loss: 0, delayMs, bursts: BURSTS })),
  { loss: 0.05, delayMs: 60, duplicates: 0.02, reordered: 0.05, reorderMs: 15 },
];

type Figures = { readonly share: number; readonly retransmitted: number; readonly arrivals: Arrivals };
type Path = {
  readonly inputPort: number;
  readonly arrivals: Arrivals;
  readonly counts: { first: number; again: number };
  close(): Promise<void>;
};

/** libsrt's sender, the network, and one of the two receivers. */
async function openPath(
  faults: UdpFaults,
  latencyMs: number,
  random: () => number,
  open: (latencyMs: number, arrivals: Arrivals) => Promise<SrtReceiver>,
): Promise<Path> {
  const arrivals = new Arrivals();
  const receiver = await open(latencyMs, arrivals);
  const counts = { first: 0, again: 0 };
  const proxy = await UdpFaultProxy.start({
    to: { host: "127.0.0.1", port: receiver.port },
    faults,
    random,
    onSent(datagram) {
      if (datagram.length < HEADER_BYTES || isControl(datagram)) return;
      if ((datagram.readUInt32BE(4) & RETRANSMITTED) !== 0) counts.again += 1;
      else counts.first += 1;
    },
  });
  const inputPort = await freePort();
  const url = `srt://127.0.0.1:${proxy.port}?streamid=KEY&latency=${latencyMs}`;
  const sender = await startSrtTransmit(`udp://127.0.0.1:${inputPort}`, url);
  return {
    inputPort,
    arrivals,
    counts,
    async close() {
      await sender.stop("SIGINT", 2_000);
      await receiver.close();
      await proxy.close();
    },
  };
}

async function measure(faults: UdpFaults, seed: number, seconds: number, kilobits: number) {
  const latencyMs = RTTS_OF_LATENCY * 2 * faults.delayMs;
  const fanfare = await openPath(faults, latencyMs, seededRandom(seed), fanfareReceiver);
  const libsrt = await openPath(faults, latencyMs, seededRandom(seed), libsrtReceiver);
  const paths = [fanfare, libsrt];
  const input = new MarkedInput(
    paths.map(({ inputPort }) => inputPort),
    kilobits,
  );
  try {
    const areOpen = () => paths.every(({ arrivals }) => arrivals.hasBegun);
    await input.run(false, (passedMs) => !areOpen() && passedMs < CONNECT_DEADLINE_MS);
    if (!areOpen()) throw new Error("a sender did not connect");
    await input.run(true, (passedMs) => passedMs < seconds * 1_000);
    await input.run(false, (passedMs) => passedMs < latencyMs + 2 * faults.delayMs + 1_000);
  } finally {
    input.close();
    for (const path of paths) await path.close();
  }
  const figures = ({ arrivals, counts }: Path): Figures => ({
    share: arrivals.count / input.sent,
    retransmitted: counts.again / counts.first,
    arrivals,
  });
  return { sent: input.sent, latencyMs, fanfare: figures(fanfare), libsrt: figures(libsrt) };
}

const percent = (share: number, digits: number) => `${(share * 100).toFixed(digits)} %`;

/** What the network does to datagrams, in words. */
function words({ loss, bursts, duplicates, reordered }: UdpFaults): string {
  if (bursts !== undefined) return `bursts of ${bursts.lastMs} ms`;
  const more = [
    ...(duplicates === undefined ? [] : [`${percent(duplicates, 0)} twice`]),
    ...(reordered === undefined ? [] : [`${percent(reordered, 0)} late`]),
  ];
  return [percent(loss, 0), ...more].join(", ");
}

const HEAD = [
  "| loss | one way | latency | sent | delivered: Fanfare | libsrt | sent again: Fanfare | libsrt | delay, median / 99 % / most: Fanfare | libsrt |",
  "|---|---|---|---|---|---|---|---|---|---|",
].join("\n");

function row(faults: UdpFaults, { sent, latencyMs, fanfare, libsrt }: Awaited<ReturnType<typeof measure>>): string {
  const delays = ({ arrivals }: Figures) =>
    `${[0.5, 0.99, 1].map((share) => arrivals.delayMs(share).toFixed(0)).join(" / ")} ms`;
  const cells = [
    words(faults),
    `${faults.delayMs} ms`,
    `${latencyMs} ms`,
    `${sent}`,
    ...[fanfare, libsrt].map(({ share }) => percent(share, 2)),
    ...[fanfare, libsrt].map(({ retransmitted }) => percent(retransmitted, 1)),
    ...[fanfare, libsrt].map(delays),
  ];
  return `| ${cells.join(" | ")} |`;
}

const values = programOptions(USAGE, {
  seconds: { type: "string", default: "20" },
  seed: { type: "string", default: `${randomInt(SEED_MAX)}` },
  kilobits: { type: "string", default: "2000" },
});
const [seconds = 0, seed = 0, kilobits = 0] = [values.seconds, values.seed, values.kilobits].map(Number);
if (!(seconds > 0 && kilobits > 0 && Number.isInteger(seed))) throw new Error("all options are numbers");
const problems: string[] = [];
process.stdout.write(`seed ${seed}, ${seconds} s each, ${kilobits} kbit/s\n\n${HEAD}\n`);
for (const faults of CASES) {
  const measured = await measure(faults, seed, seconds, kilobits);
  const line = row(faults, measured);
  process.stdout.write(`${line}\n`);
  const { fanfare, libsrt } = measured;
  if (fanfare.arrivals.disordered > 0) problems.push(`out of order: ${line}`);
  const isPromised = faults.bursts === undefined && faults.loss <= 0.05;
  if (isPromised && fanfare.share < libsrt.share - SHARE_TOLERANCE) problems.push(`delivered less: ${line}`);
}
process.stdout.write(`\n${table(["machine", ""], machineRows())}\n`);
for (const problem of problems) process.stdout.write(`${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);
