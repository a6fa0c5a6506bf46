import { randomBytes } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import type { Child } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { longestGapMs } from "../support/processes/longest-gap.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeClip } from "../support/streams/clip.ts";
import { gapsIn, readLoopedClip } from "../support/streams/looped-stream.ts";
import { tlsInFrontOf } from "../support/targets/tls-target.ts";
import { machineRows, table } from "./machine.ts";

const USAGE = `usage: npm run upgrades -- [UPGRADES] [--write] [--note TEXT]

FFmpeg publishes to a channel with a plain target and one behind TLS; newer processes take over, one after another (50 by default). Exits
with 1 if a target's connection was closed, or a frame was lost. --write puts the result into docs/results/upgrades.md.
`;
const DEADLINE_MS = 60_000;
const MESSAGES_MAX = 5_000_000;
const GAP_MS_GOAL = 2_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
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
const channel = await api.createChannel("upgrades", [
  { rtmpUrl: plain.url, streamKey: "plain" },
  { rtmpUrl: front.url, streamKey: "tls" },
]);
const { path } = await makeClip({ seconds: 6 });
const clip = await readLoopedClip(path);
const encoder = await startFfmpeg(
  { path, seconds: 6, bytesPerSecond: 0 },
  `${channel.publishUrl}/${channel.streamKey}`,
  {
    loops: true,
  },
);
const reports = () => [plain, secured].map(({ connections }) => connections[0]?.report);
await waitFor(
  "media at both targets",
  DEADLINE_MS,
  () => reports().every((each) => (each?.mediaBytes ?? 0) > 300_000) || undefined,
);

const gapsMs: number[] = [];
let carrier: Child | undefined;
for (let upgrade = 1; upgrade <= count; upgrade += 1) {
  const isAnswered = () =>
    api.channel(channel.channelId).then(
      ({ isPublishing }) => isPublishing,
      () => false,
    );
  let older: Child | undefined;
  gapsMs.push(
    await longestGapMs(isAnswered, async () => {
      older = await server.upgrade();
    }),
  );
  carrier ??= older;
  process.stdout.write(`${upgrade}: ${Math.round(gapsMs.at(-1) ?? 0)} ms without an answer\n`);
  // The process in between carries nothing and ends; the first one carries the broadcast to its end.
  if (older !== undefined && older !== carrier) await older.exited;
  else await pass(1_000);
}

const problems: string[] = [];
const connections = [plain, secured].map(({ connections: all }) => [all.length, all[0]?.report.state] as const);
if (connections.some(([had, state]) => had !== 1 || state !== "open"))
  problems.push(`connections: ${JSON.stringify(connections)}`);
const messages = reports().map((report) => report?.messages ?? []);
for (const [index, each] of messages.entries())
  problems.push(...gapsIn(each, clip).map((gap) => `target ${index + 1}: ${gap}`));
const isCarried = carrier?.isRunning() === true;
if (!isCarried) problems.push("the first process ended before its broadcast");
encoder.kill("SIGINT");
await carrier?.exited;
await server.stop();
for (const target of [plain, secured]) await target.close();
await front.close();
await rm(folder, { recursive: true, force: true });

const sorted = gapsMs.toSorted((left, right) => left - right);
const at = (part: number) =>
  `${Math.round(sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))] ?? 0)} ms`;
const late = gapsMs.filter((gap) => gap > GAP_MS_GOAL).length;
const rows = [
  ["upgrades", `${count}`],
  ["connections that the targets had (plain, TLS)", connections.map(([had]) => had).join(", ")],
  ["frames that they got", messages.map((each) => each.filter(({ isConfig }) => !isConfig).length).join(", ")],
  ["frames lost, repeated or changed", problems.length === 0 ? "0" : `${problems.length}`],
  ["longest time without an answer of the API: median, 90 %, longest", [at(0.5), at(0.9), at(1)].join(", ")],
  [`upgrades with more than ${GAP_MS_GOAL} ms of it`, `${late}`],
] as const;
process.stdout.write(`${table(["measured", ""], rows)}\n${problems.join("\n")}\n`);
if (values.write) {
  const page = [
    "# Upgrades while a stream runs",
    "",
    `\`npm run upgrades -- ${count} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: FFmpeg publishes a clip over and over`,
    "(H.264 640x360 at 25 fps, AAC); newer processes take over one after another, on one data folder and the same ports. Every frame that the targets got",
    "is compared with the clip: the frame behind each must be the next one of the clip. The API is asked every 20 ms.",
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
process.exit(problems.length === 0 ? 0 : 1);
