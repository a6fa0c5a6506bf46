import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { KitTarget } from "../../src/testkit/target/target.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { startChild } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { BUCKET, S3_KEY, S3Server } from "../support/recordings/s3-server.ts";
import { makeClip } from "../support/streams/clip.ts";
import { machineRows, table } from "./machine.ts";

const USAGE = `usage: npm run storage-away -- [--minutes N] [--write] [--note TEXT]

A channel is recorded in files of a minute, which are uploaded to a real S3 server (s3rver), while that is away for so many minutes
(default 10): a third of them it cuts connections, a third it takes requests and never answers, a third nobody listens. When it is
back it is slow: 1 MB a second. Exits with 1 if a platform noticed, or if a file is not there or not the same afterwards.
--write puts the result into docs/results/storage-away.md.
`;
const FILE_MINUTES = 1;
const LOOK_MS = 1_000;
const DEADLINE_MS = 60_000;
/** The longest wait of an upload is 5 minutes and a quarter, and a call may hang for 2.5. waitFor gives five times as long. */
const UPLOADED_MS = 120_000;
const MESSAGES_MAX = 200_000;
/** Two frames of the clip. */
const GAP_MAX_MS = 80;
const RECORDINGS = "/api/v2/re-stream/recordings";

const recordings = z.array(
  z.looseObject({
    recordingId: z.string(),
    state: z.string(),
    bytes: z.int(),
    container: z.string(),
    upload: z.looseObject({ state: z.string(), detail: z.string().optional() }).optional(),
  }),
);
const channelAnswer = z.looseObject({ recording: z.looseObject({ status: z.string() }) });

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    write: { type: "boolean", default: false },
    note: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const minutes = Number(values.minutes);
if (values.help || !(minutes > 0)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const folder = await mkdtemp(join(tmpdir(), "fanfare-s3-away-"));
const s3 = await S3Server.start(join(folder, "s3"));
const target = await KitTarget.start({ messagesMax: MESSAGES_MAX });
const credentials = { accessKey: "S3AWAY00000000000001", secretKey: randomBytes(20).toString("hex") };
const environment = {
  FANFARE_RECORDING_FILE_MINUTES: `${FILE_MINUTES}`,
  FANFARE_S3_URL: s3.endpoint,
  FANFARE_S3_BUCKET: BUCKET,
  FANFARE_S3_ACCESS_KEY: S3_KEY.accessKey,
  FANFARE_S3_SECRET_KEY: S3_KEY.secretKey,
};
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials, environment });
const api = new ApiClient(server.origin, credentials, () => undefined);
const channel = await api.createChannel("s3_away", [{ rtmpUrl: target.url, streamKey: "key" }]);
const url = `/api/v2/re-stream/channels/${channel.channelId}`;
await api.request("PUT", url, { recording: { enabled: true } });
const clip = await makeClip({ seconds: 10, kilobits: 2_000 });
const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-c", "copy"];
const encoder = await startChild("ffmpeg", [...input, "-f", "flv", `${channel.publishUrl}/${channel.streamKey}`]);

const problems = new Set<string>();
const details = new Map<string, number>();
const states = new Set<string>();
const list = async () =>
  recordings.parse(await api.request("GET", `${RECORDINGS}?channelId=${channel.channelId}&pageSizeNo=100`));

/** Looks at platform, recording and uploads once a second for so long. */
async function watchFor(ms: number): Promise<void> {
  for (const endMs = performance.now() + ms; performance.now() < endMs; await pass(LOOK_MS)) {
    const [platform] = await api.platforms(channel.channelId);
    if (platform?.connectStatus !== "PUBLISHING") problems.add(`the platform was ${platform?.connectStatus}`);
    const { recording } = channelAnswer.parse(await api.request("GET", url));
    if (recording.status !== "RECORDING") problems.add(`the recording was ${recording.status}`);
    for (const { upload } of await list()) {
      if (upload === undefined) continue;
      states.add(upload.state);
      if (upload.detail !== undefined) details.set(upload.detail, (details.get(upload.detail) ?? 0) + 1);
    }
  }
}

await waitFor("the platform", DEADLINE_MS, async () => {
  const [platform] = await api.platforms(channel.channelId);
  const { recording } = channelAnswer.parse(await api.request("GET", url));
  return platform?.connectStatus === "PUBLISHING" && recording.status === "RECORDING" ? true : undefined;
});
const third = (minutes * 60_000) / 3;
s3.fault = () => "cut";
await watchFor(third);
s3.fault = () => "hang";
await watchFor(third);
s3.fault = () => "pass";
await s3.pause();
await watchFor(third);
const waiting = (await list()).filter(
  ({ state, upload }) => state === "FINISHED" && upload?.state !== "UPLOADED",
).length;
s3.fault = (what) => (what.startsWith("part") ? "slow" : "pass");
await s3.resume();
const backMs = performance.now();
await watchFor(5_000);
await encoder.stop("SIGINT", 5_000);
const files = await waitFor("all uploads", UPLOADED_MS, async () => {
  const all = await list();
  return all.every(({ state, upload }) => state === "FINISHED" && upload?.state === "UPLOADED") ? all : undefined;
});
const uploadedMs = performance.now() - backMs;
for (const { recordingId, container } of files) {
  const name = `${channel.channelId}/${recordingId}.${container}`;
  const local = await readFile(join(folder, "data", "recordings", name));
  if (!s3.object(name).equals(local)) problems.add(`${name} is not the same there`);
}
const [connection] = target.connections;
if (target.connections.length !== 1) problems.add(`${target.connections.length} connections to the platform`);
const times = (connection?.report.messages ?? []).flatMap(({ kind, isConfig, timestamp }) =>
  kind === "video" && !isConfig ? [timestamp] : [],
);
const longestMs = Math.max(...times.slice(1).map((timestamp, index) => timestamp - (times[index] ?? 0)));
if (longestMs > GAP_MAX_MS) problems.add(`two frames at the platform are ${longestMs} ms apart`);
await server.stop();
await target.close();
await s3.close();

const page = `# S3 that is away

\`npm run storage-away -- --minutes ${minutes} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: one channel of 2 Mbit/s from FFmpeg, recorded in files of ${FILE_MINUTES} minute,
uploaded to s3rver. For a third of ${minutes} minutes it cuts connections, for a third it takes requests and never answers, for a third nobody listens.
Then it is back and takes 1 MB a second.
${values.note === undefined ? "" : `\n${values.note}\n`}
${problems.size === 0 ? "As it must be: the platform and the recording did not notice, and every file is there, byte for byte." : [...problems].map((each) => `- **${each}**`).join("\n")}

${table(
  ["", ""],
  [
    ["files that waited when it came back", `${waiting}`],
    ["files in the end, each compared byte for byte", `${files.length}`],
    ["all of them there after", `${(uploadedMs / 1_000).toFixed(0)} s`],
    ["states of uploads that the API showed", [...states].join(", ")],
    ["connections to the platform", `${target.connections.length}`],
    ["video frames at the platform", `${times.length}`],
    ["longest time between two of them", `${longestMs} ms`],
  ],
)}

${table(
  ["reason, as the API showed it", "seconds × files"],
  [...details].map(([detail, count]) => [detail, `${count}`] as const),
)}

${table(["machine", ""], machineRows(["ffmpeg"]))}
`;
process.stdout.write(page);
if (values.write) await writeFile(join(ROOT, "docs", "results", "storage-away.md"), page);
if (problems.size === 0) await rm(folder, { recursive: true, force: true });
else process.stderr.write(`the recordings are in ${folder}\n`);
process.exit(problems.size === 0 ? 0 : 1);
