import { createHash, randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import type { FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { readFlv } from "../../src/testkit/flv-file.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { PlatformWatch } from "../support/dashboard/platform-watch.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { type Clip, makeClip } from "../support/streams/clip.ts";
import { decodingErrors } from "../support/streams/decoding.ts";
import { isCodedMedia, isVideo, stepsBack } from "../support/streams/flv-file.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";
import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";

const USAGE = `usage: npm run backup-return -- [--write] [--note TEXT]

Two FFmpegs publish to the two keys of a channel. The main one is killed, comes back, and must be on air again after 30 s of health;
nginx-rtmp records. Exits with 1 if anything is not as promised. --write puts the result into docs/results/backup-return.md.
`;
const DEADLINE_MS = 20_000;
const ON_AIR_MS = 5_000;
const AWAY_MS = 6_000;
/** The main encoder has to be well for so long, and then goes on at its next keyframe: one each 2 s. */
const RETURN_AFTER_MS = 30_000;
const RETURN_LATEST_MS = 40_000;
/** So much of the main encoder before the return is the time until FFmpeg's first frame. */
const START_ALLOWANCE_MS = 1_000;

const shownChannel = z.looseObject({
  backupStreamKey: z.string().optional(),
  ingest: z.looseObject({ state: z.string(), source: z.string() }).optional(),
});

const digest = (tag: FlvTag): string => createHash("sha256").update(tag.payload).digest("hex");

async function framesOf(clip: Clip): Promise<ReadonlySet<string>> {
  const tags = readFlv(await readFile(clip.path));
  return new Set(tags.filter((tag) => isVideo(tag) && isCodedMedia(tag)).map(digest));
}

const values = programOptions(USAGE, {
  write: { type: "boolean", default: false },
  note: { type: "string" },
});
const folder = await mkdtemp(join(tmpdir(), "fanfare-backup-return-"));
const nginx = await NginxTarget.start(join(folder, "nginx"));
const credentials = { accessKey: "BACKUP00000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const problems: string[] = [];

const key = `return-${randomBytes(6).toString("hex")}`;
const channel = await api.createChannel("backup_return", [{ rtmpUrl: nginx.url, streamKey: key }]);
const url = `/api/v2/re-stream/channels/${channel.channelId}`;
const { backupStreamKey } = shownChannel.parse(await api.request("PUT", url, { backup: { enabled: true } }));
if (backupStreamKey === undefined) throw new Error("no backup key");
const watch = new PlatformWatch(api, channel.channelId);
/** Milliseconds until this encoder feeds the channel. */
async function untilFedBy(source: string, deadlineMs: number): Promise<number> {
  const fromMs = performance.now();
  await waitFor(`${source} on air`, deadlineMs, async () => {
    const { ingest } = shownChannel.parse(await api.request("GET", url));
    return ingest?.state === "LIVE" && ingest.source === source ? true : undefined;
  });
  return performance.now() - fromMs;
}

const mainClip = await makeClip({ seconds: 6 });
const backupClip = await makeClip({ seconds: 6, pitchHz: 880 });
const mainUrl = `${channel.publishUrl}/${channel.streamKey}`;
const first = await startFfmpeg(mainClip, mainUrl, { loops: true });
await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
const backup = await startFfmpeg(backupClip, `${channel.publishUrl}/${backupStreamKey}`, { loops: true });
await pass(ON_AIR_MS);
first.kill("SIGKILL");
const awayMs = await untilFedBy("backup", DEADLINE_MS);
await pass(AWAY_MS);
const again = await startFfmpeg(mainClip, mainUrl, { loops: true });
const returnMs = await untilFedBy("main", RETURN_LATEST_MS + DEADLINE_MS);
await pass(ON_AIR_MS);
backup.kill("SIGINT");
await backup.exited;
await pass(1_000);
again.kill("SIGINT");
await again.exited;
await watch.until(0, ({ connectStatus }) => connectStatus === "READY", DEADLINE_MS);
await watch.stop();
await server.stop();

const recordings = await nginx.recordings(key);
const [recording] = recordings;
if (recording === undefined) throw new Error("nothing was recorded");
const [ofMain, ofBackup] = [await framesOf(mainClip), await framesOf(backupClip)];
const frames = recording.tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
const whose = frames.map(digest).map((each) => (ofMain.has(each) ? "main" : ofBackup.has(each) ? "backup" : "other"));
const turns = whose.filter((each, index) => each !== whose[index - 1]);
const gaps = frames.map((tag, index) => tag.timestamp - (frames[index - 1]?.timestamp ?? tag.timestamp));
const back = stepsBack(recording.tags);
const errors = await decodingErrors(recording.path);
await nginx.stop();

if (recordings.length !== 1) problems.push(`${recordings.length} connections instead of one`);
if (turns.join() !== "main,backup,main") problems.push(`the video was that of ${turns.join(", ")}`);
if (watch.statuses(0).includes("FAIL")) problems.push(`the target was shown as ${watch.statuses(0).join(" → ")}`);
if (back.length > 0) problems.push(`time goes back: ${back.join("; ")}`);
if (errors !== "") problems.push(`FFmpeg says: ${errors.slice(0, 500)}`);
if (returnMs < RETURN_AFTER_MS - START_ALLOWANCE_MS || returnMs > RETURN_LATEST_MS) {
  problems.push(`the main encoder was on air again after ${Math.round(returnMs)} ms`);
}

const rows: [string, string][] = [
  ["connections to the target", `${recordings.length}`],
  ["whose video it got, in turn", turns.join(" → ")],
  ["what the API showed of it", watch.statuses(0).join(" → ")],
  ["from the main encoder's death until the API showed the backup", `${(awayMs / 1_000).toFixed(2)} s`],
  ["from the main encoder's return until the API showed it on air", `${(returnMs / 1_000).toFixed(2)} s`],
  ["longest time between two frames", `${Math.max(...gaps)} ms`],
  ["steps back in time, across audio and video", back.length === 0 ? "none" : back.join("; ")],
  ["`ffmpeg -v error` over the whole recording", errors === "" ? "no line" : `${errors.split("\n").length} lines`],
];
const page = `# The main encoder returns

\`npm run backup-return -- --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: two FFmpegs publish different video of the same format to a
channel's two keys (H.264 640x360 at 25 fps, a keyframe every 2 s, AAC stereo); the main one gets SIGKILL and is started again ${AWAY_MS / 1_000} s later; nginx-rtmp records.
${values.note === undefined ? "" : `\n${values.note}\n`}
${problems.length === 0 ? "As it must be." : problems.map((each) => `- **${each}**`).join("\n")}

${table(["machine", ""], machineRows(["ffmpeg"]))}

${table(["measured", ""], rows)}
`;
process.stdout.write(page);
if (values.write) {
  await mkdir(join(ROOT, "docs", "results"), { recursive: true });
  await writeFile(join(ROOT, "docs", "results", "backup-return.md"), page);
}
if (problems.length === 0) await rm(folder, { recursive: true, force: true });
else {
  await writeFile(join(folder, "server.log"), server.output);
  process.stderr.write(`the recording and the server's log are in ${folder}\n`);
}
process.exit(problems.length === 0 ? 0 : 1);
