import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import { ObsEncoder } from "../support/encoders/obs-encoder.ts";
import type { Child } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { longestGapMs } from "../support/processes/longest-gap.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeClip } from "../support/streams/clip.ts";
import { tlsInFrontOf } from "../support/targets/tls-target.ts";
import { machineRows, table } from "./machine.ts";
import { differences, type EncoderTap, tapEncoder } from "./streams/encoder-tap.ts";

const USAGE = `usage: npm run upgrades -- [UPGRADES] [--without-obs] [--write] [--note TEXT]

FFmpeg and OBS publish to a channel each, with a plain target and one behind TLS; newer processes take over, one after another (50 by
default). Exits with 1 if a connection of a target or an encoder was closed, or a frame was lost. --write puts the result into
docs/results/upgrades.md.
`;
const DEADLINE_MS = 60_000;
const MESSAGES_MAX = 5_000_000;
const MEDIA_BYTES = 100_000;
const GAP_MS_GOAL = 2_000;
/** By then targets have what was sent before. In milliseconds. */
const TAIL_MS = 5_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    "without-obs": { type: "boolean", default: false },
    write: { type: "boolean", default: false },
    note: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const count = Number(positionals[0] ?? 50);
if (values.help || !Number.isInteger(count) || count < 1) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}

const folder = await mkdtemp(join(tmpdir(), "fanfare-upgrades-"));
const plain = await KitTarget.start({ messagesMax: MESSAGES_MAX });
const secured = await KitTarget.start({ messagesMax: MESSAGES_MAX });
const front = await tlsInFrontOf(secured.port);
await writeFile(join(folder, "ca.pem"), front.ca);
const credentials = { accessKey: "UPGRADES000000000001", secretKey: randomBytes(20).toString("hex") };
const environment = { FANFARE_TLS_EXTRA_CA: join(folder, "ca.pem"), FANFARE_LOG_LEVEL: "info" };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials, environment });
const api = new ApiClient(server.origin, credentials, () => undefined);

/** An encoder with its channel. Its targets are known by their keys. */
type Stream = {
  readonly name: string;
  readonly channelId: string;
  readonly tap: EncoderTap;
  stop(): Promise<unknown>;
};

async function startStream(
  name: string,
  start: (publishUrl: string, streamKey: string) => Promise<() => Promise<unknown>>,
): Promise<Stream> {
  const tap = await tapEncoder(server.rtmpPort);
  const { channelId, streamKey } = await api.createChannel(`upgrades_${name}`, [
    { rtmpUrl: plain.url, streamKey: name },
    { rtmpUrl: front.url, streamKey: name },
  ]);
  const stop = await start(`rtmp://127.0.0.1:${tap.port}/relay`, streamKey);
  const isThere = () =>
    [plain, secured].every((target) => (connectionsOf(name, target)[0]?.mediaBytes ?? 0) > MEDIA_BYTES);
  await waitFor(`media of ${name} at both targets`, DEADLINE_MS, () => isThere() || undefined);
  return { name, channelId, tap, stop };
}

function connectionsOf(name: string, target: KitTarget) {
  return target.connections.map(({ report }) => report).filter(({ streamName }) => streamName === name);
}

const streams = [
  await startStream("ffmpeg", async (publishUrl, streamKey) => {
    const { path } = await makeClip({ seconds: 6 });
    const clip = { path, seconds: 6, bytesPerSecond: 0 };
    const encoder = await startFfmpeg(clip, `${publishUrl}/${streamKey}`, { loops: true });
    return async () => encoder.kill("SIGINT");
  }),
];
if (!values["without-obs"]) {
  const startObs = async (publishUrl: string, streamKey: string) => {
    const obs = await ObsEncoder.start({ folder, publishUrl, streamKey });
    return () => obs.stopStreaming().finally(() => obs.kill());
  };
  streams.push(await startStream("obs", startObs));
}

const gapsMs: number[] = [];
let carrier: Child | undefined;
for (let upgrade = 1; upgrade <= count; upgrade += 1) {
  const isAnswered = async () => {
    const channels = await api.channels().catch(() => []);
    return channels.filter(({ isPublishing }) => isPublishing).length === streams.length;
  };
  let older: Child | undefined;
  gapsMs.push(
    await longestGapMs(isAnswered, async () => {
      older = await server.upgrade();
    }),
  );
  carrier ??= older;
  process.stdout.write(`${upgrade}: ${Math.round(gapsMs.at(-1) ?? 0)} ms without an answer\n`);
  // The process in between carries nothing and ends; the first one carries the broadcasts to their end.
  if (older !== undefined && older !== carrier) await older.exited;
  else await pass(1_000);
}

const sentBefore = streams.map(({ tap }) => tap.messages.length);
await pass(TAIL_MS);
const problems: string[] = [];
const rows: [string, string][] = [["upgrades", `${count}`]];
for (const [index, { name, tap }] of streams.entries()) {
  if (tap.connectionCount !== 1 || tap.openCount !== 1)
    problems.push(`${name} connected ${tap.connectionCount} times, of which ${tap.openCount} are open`);
  const reports = [plain, secured].map((target) => connectionsOf(name, target));
  for (const [at, connections] of reports.entries()) {
    const target = `${name}, ${at === 0 ? "plain" : "TLS"}`;
    const [report] = connections;
    if (connections.length !== 1 || report?.state !== "open") {
      const states = connections.map(({ state }) => state).join(", ");
      problems.push(`${target}: connections that were ${states}`);
    }
    const wrong = differences(report?.messages ?? [], tap.messages, sentBefore[index] ?? 0);
    problems.push(...wrong.map((problem) => `${target}: ${problem}`));
  }
  const frames = reports.map(([report]) =>
    report?.messages.filter(({ kind, isConfig }) => kind !== "data" && !isConfig),
  );
  rows.push(
    [
      `${name}: connections of the encoder; of the targets (plain, TLS)`,
      `${tap.connectionCount}; ${reports.map((each) => each.length).join(", ")}`,
    ],
    [`${name}: frames that the targets got`, frames.map((each) => each?.length ?? 0).join(", ")],
  );
}
if (carrier?.isRunning() !== true) problems.push("the first process ended before its broadcasts");
process.stdout.write(`${problems.join("\n")}\n`);
for (const { name, stop } of streams)
  await stop().catch((error: unknown) => problems.push(`${name} had stopped: ${String(error)}`));
await carrier?.exited;
await server.stop();
for (const { tap } of streams) tap.close();
for (const target of [plain, secured]) await target.close();
await front.close();
await rm(folder, { recursive: true, force: true });

const sorted = gapsMs.toSorted((left, right) => left - right);
const at = (part: number) =>
  `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0)} ms`;
const late = gapsMs.filter((gap) => gap > GAP_MS_GOAL).length;
rows.push(
  ["connections closed; frames lost, repeated or changed", problems.length === 0 ? "0" : `${problems.length}`],
  ["longest time without an answer of the API: median, 90 %, longest", [at(0.5), at(0.9), at(1)].join(", ")],
  [`upgrades with more than ${GAP_MS_GOAL} ms of it`, `${late}`],
);
process.stdout.write(`${table(["measured", ""], rows)}\n${problems.join("\n")}\n`);
if (values.write) {
  const page = [
    "# Upgrades while a stream runs",
    "",
    `\`npm run upgrades -- ${count} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: FFmpeg publishes a clip over and over`,
    "(H.264 640x360 at 25 fps, AAC), and OBS Studio what it encodes (640x360 at 30 fps), to a channel each with a plain target and one behind TLS; newer",
    "processes take over one after another, on one data folder and the same ports. What the encoders send is recorded on its way to the server, and every",
    "frame that the targets got is compared with it. The API is asked every 20 ms for both channels.",
    ...(values.note === undefined ? [] : ["", values.note]),
    "",
    problems.length === 0 ? "As it must be." : `Not as it must be: ${problems.slice(0, 5).join("; ")}`,
    "",
    table(["machine", ""], machineRows()),
    "",
    table(["measured", ""], rows),
    "",
  ];
  await writeFile(join(ROOT, "docs", "results", "upgrades.md"), page.join("\n"));
}
process.exit(problems.length === 0 && late === 0 ? 0 : 1);
