import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { z } from "zod";
import { KitTarget } from "../../src/testkit/target/target.ts";
import type { TargetEvent } from "../../src/testkit/target/target-report.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { type Child, runToEnd, startChild } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeClip } from "../support/streams/clip.ts";
import { decodingErrors } from "../support/streams/decoding.ts";
import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";

const USAGE = `usage: npm run slow-disk -- [--seconds N] [--write] [--note TEXT]

A channel of 8 Mbit/s is recorded, and has a live platform and one that is delayed by a minute. Recordings and delayed streams lie on
FUSE file systems (bindfs), which are slow (150 kB/s), gone (the file system's process is killed), quick, hanging (it is stopped), and
quick again, for N seconds each (default and least: 60, since 48 MiB of a delayed stream may wait in memory). Needs root. Exits with 1
if the live platform noticed, if a disk that is slow or hangs is not named as the reason, if recording and delay do not go on
afterwards, or if a file is not finished and whole at the end.
--write puts the result into docs/results/slow-disk.md.
`;
const SECONDS_MIN = 60;
const KILOBITS = 8_000;
const DELAY_SECONDS = 60;
const SLOW_BYTES_PER_SECOND = 150_000;
const LOOK_MS = 1_000;
const DEADLINE_MS = 60_000;
const MESSAGES_MAX = 200_000;
/** Two frames of the clip. */
const GAP_MAX_MS = 80;
/** So much later than before, at most, on a machine that others use. */
const LATER_MAX_MS = 2_000;
const RECORDINGS = "/api/v2/re-stream/recordings";
const DISKS = ["recordings", "delays"] as const;

const channelAnswer = z.looseObject({
  recording: z.looseObject({ status: z.string(), reason: z.looseObject({ code: z.string() }).optional() }),
});
const platformsAnswer = z.array(
  z.looseObject({
    connectStatus: z.string(),
    delay: z.looseObject({ state: z.string(), problem: z.looseObject({ message: z.string() }).optional() }).optional(),
  }),
);
const recordingsAnswer = z.array(
  z.looseObject({
    recordingId: z.string(),
    state: z.string(),
    container: z.string(),
    endReason: z.string().optional(),
  }),
);

const values = programOptions(USAGE, {
  seconds: { type: "string", default: "60" },
  write: { type: "boolean", default: false },
  note: { type: "string" },
});
const seconds = Number(values.seconds);
if (!(seconds >= SECONDS_MIN)) {
  process.stdout.write(USAGE);
  process.exit(2);
}
const folder = await mkdtemp(join(tmpdir(), "fanfare-slow-disk-"));
const data = join(folder, "data");

/** A folder of the server on a FUSE file system of its own, whose files are really in another folder. */
class FuseDisk {
  readonly #real: string;
  readonly #shown: string;
  #process: Child | undefined;

  constructor(name: string) {
    this.#real = join(folder, `real-${name}`);
    this.#shown = join(data, name);
  }

  get realFolder(): string {
    return this.#real;
  }

  /** `bytesPerSecond`: what it takes at most; absent: any. */
  async mount(bytesPerSecond?: number): Promise<void> {
    await this.unmount();
    for (const each of [this.#real, this.#shown]) await mkdir(each, { recursive: true });
    const rate = bytesPerSecond === undefined ? [] : [`--write-rate=${bytesPerSecond}`];
    const child = await startChild("bindfs", [
      "-f",
      "--no-allow-other",
      "--multithreaded",
      ...rate,
      this.#real,
      this.#shown,
    ]);
    this.#process = child;
    await waitFor("the file system", DEADLINE_MS, async () => {
      if (!child.isRunning()) throw new Error(`bindfs: ${child.stderr()}`);
      return (
        (await runToEnd("findmnt", ["-n", "-o", "FSTYPE", this.#shown]).catch(() => "")).includes("fuse") || undefined
      );
    });
  }

  signal(signal: "SIGSTOP" | "SIGCONT"): void {
    this.#process?.kill(signal);
  }

  /** Its process is killed: whatever is open, and everything in the folder, fails. */
  async kill(): Promise<void> {
    await this.#process?.stop("SIGKILL", 0);
  }

  /** Removes what is left of the one before. */
  async unmount(): Promise<void> {
    await this.kill();
    await runToEnd("umount", ["-l", this.#shown]).catch(() => undefined);
  }
}

const disks = DISKS.map((name) => new FuseDisk(name));
for (const disk of disks) await disk.mount(SLOW_BYTES_PER_SECOND);
const [live, late] = [
  await KitTarget.start({ messagesMax: MESSAGES_MAX, reportsMessages: true, onEvent: (event) => took(event) }),
  await KitTarget.start(),
];
const credentials = { accessKey: "SLOWDISK000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: data, credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const channel = await api.createChannel("slow_disk", [
  { rtmpUrl: live.url, streamKey: "live" },
  { rtmpUrl: late.url, streamKey: "late", delaySeconds: DELAY_SECONDS },
]);
const url = `/api/v2/re-stream/channels/${channel.channelId}`;
await api.request("PUT", url, { recording: { enabled: true } });
const clip = await makeClip({ seconds: 10, kilobits: KILOBITS });
const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-c", "copy"];
const encoder = await startChild("ffmpeg", [...input, "-f", "flv", `${channel.publishUrl}/${channel.streamKey}`]);

const problems = new Set<string>();
/** How much later than the earliest a video frame came, in milliseconds, in the present phase. */
let latestMs = 0;
let earliestMs = Number.POSITIVE_INFINITY;

function took(event: TargetEvent): void {
  if (event.event !== "message" || event.message.kind !== "video" || event.message.isConfig) return;
  const behindMs = performance.now() - event.message.timestamp;
  earliestMs = Math.min(earliestMs, behindMs);
  latestMs = Math.max(latestMs, behindMs - earliestMs);
}

type Seen = { readonly recording: readonly string[]; readonly delay: readonly string[]; readonly latestMs: number };

/** Looks at the API once a second for so long. Returns each state that it showed, and for how many seconds. */
async function watch(phase: string): Promise<Seen> {
  const [recording, delay] = [new Map<string, number>(), new Map<string, number>()];
  const count = (map: Map<string, number>, word: string) => map.set(word, (map.get(word) ?? 0) + 1);
  latestMs = 0;
  for (const endMs = performance.now() + seconds * 1_000; performance.now() < endMs; await pass(LOOK_MS)) {
    const { status, reason } = channelAnswer.parse(await api.request("GET", url)).recording;
    const [first, second] = platformsAnswer.parse(await api.request("GET", `${url}/platforms`));
    if (first?.connectStatus !== "PUBLISHING") problems.add(`${phase}: the live platform was ${first?.connectStatus}`);
    count(recording, [status, reason?.code].filter(Boolean).join(" "));
    count(delay, [second?.connectStatus, second?.delay?.problem?.message].filter(Boolean).join(": "));
  }
  if (latestMs > LATER_MAX_MS) problems.add(`${phase}: a frame came ${Math.round(latestMs)} ms late`);
  const words = (map: Map<string, number>) => [...map].map(([word, times]) => `${word} (${times} s)`);
  return { recording: words(recording), delay: words(delay), latestMs };
}

await waitFor("the platform", DEADLINE_MS, async () => {
  const [first] = platformsAnswer.parse(await api.request("GET", `${url}/platforms`));
  return first?.connectStatus === "PUBLISHING" ? true : undefined;
});
const phases = new Map<string, Seen>();
const run = async (name: string): Promise<Seen> => {
  const seen = await watch(name);
  phases.set(name, seen);
  return seen;
};
const expectReason = ({ recording, delay }: Seen, code: string, name: string): void => {
  if (!recording.some((word) => word.startsWith(`FAIL ${code}`)))
    problems.add(`${name}: the recording never said ${code}`);
  if (!delay.some((word) => word.includes("disk"))) problems.add(`${name}: the delayed platform gave no reason`);
};
const expectBack = ({ recording, delay }: Seen, name: string): void => {
  if (!recording.at(-1)?.startsWith("RECORDING")) problems.add(`${name}: the recording did not begin again`);
  if (delay.at(-1)?.includes("disk") !== false) problems.add(`${name}: the delay did not begin again`);
};
expectReason(await run("slow"), "DISK_SLOW", "slow");
for (const disk of disks) await disk.kill();
await run("gone");
for (const disk of disks) await disk.mount();
expectBack(await run("quick"), "quick");
for (const disk of disks) disk.signal("SIGSTOP");
expectReason(await run("hangs"), "DISK_SLOW", "hangs");
for (const disk of disks) disk.signal("SIGCONT");
expectBack(await run("quick again"), "quick again");
await encoder.stop("SIGINT", 5_000);
const files = await waitFor("the end of the recording", DEADLINE_MS, async () => {
  const all = recordingsAnswer.parse(
    await api.request("GET", `${RECORDINGS}?channelId=${channel.channelId}&pageSizeNo=100`),
  );
  return all.every(({ state }) => state !== "RECORDING") ? all : undefined;
});
// What was written when the disk was taken away is finished without another start.
await server.stop();
for (const { recordingId, container } of files) {
  const path = join(disks[0]?.realFolder ?? "", channel.channelId, `${recordingId}.${container}`);
  const notes = z.looseObject({ end: z.unknown() }).parse(JSON.parse(await readFile(notesOf(path), "utf8")));
  if (notes.end === undefined) problems.add(`${recordingId} was not finished`);
  const errors = await decodingErrors(path);
  if (errors !== "") problems.add(`${recordingId} does not decode: ${errors.slice(0, 200)}`);
}
const times = (live.connections[0]?.report.messages ?? []).flatMap(({ kind, isConfig, timestamp }) =>
  kind === "video" && !isConfig ? [timestamp] : [],
);
const longestMs = Math.max(...times.slice(1).map((timestamp, index) => timestamp - (times[index] ?? 0)));
if (live.connections.length !== 1) problems.add(`${live.connections.length} connections to the live platform`);
if (longestMs > GAP_MAX_MS) problems.add(`two frames at the live platform are ${longestMs} ms apart`);
for (const target of [live, late]) await target.close();
for (const disk of disks) await disk.unmount();

function notesOf(path: string): string {
  return path.replace(/[a-z0-9]+$/, "json");
}

const list = (words: readonly string[]) => words.join("<br>");
const page = `# A disk that is slow, gone, or hangs

\`npm run slow-disk -- --seconds ${seconds} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: a channel of ${KILOBITS / 1_000} Mbit/s from FFmpeg
is recorded, and goes to a live platform and to one that is delayed by ${DELAY_SECONDS} s. Recordings and delayed streams lie on FUSE file systems
(bindfs), which take ${SLOW_BYTES_PER_SECOND / 1_000} kB/s; then their processes are killed; then they are mounted again, quick; then they hang (SIGSTOP);
then they go on.
${values.note === undefined ? "" : `\n${values.note}\n`}
${problems.size === 0 ? "As it must be: the live platform did not notice, each fault had its reason, recording and delay began again, and every file decodes." : [...problems].map((each) => `- **${each}**`).join("\n")}

| the disk | recording, as the API showed it | the delayed platform | latest frame at the live platform |
|---|---|---|---|
${[...phases].map(([name, seen]) => `| ${name} | ${list(seen.recording)} | ${list(seen.delay)} | ${Math.round(seen.latestMs)} ms |`).join("\n")}

${table(
  ["the live platform", ""],
  [
    ["connections", `${live.connections.length}`],
    ["video frames", `${times.length}`],
    ["longest time between two of them", `${longestMs} ms`],
    ["recorded files, each decoded", files.map(({ endReason }) => endReason ?? "-").join(", ")],
  ],
)}

${table(["machine", ""], machineRows(["ffmpeg"]))}
`;
process.stdout.write(page);
if (values.write) await writeFile(join(ROOT, "docs", "results", "slow-disk.md"), page);
if (problems.size === 0) await rm(folder, { recursive: true, force: true });
else process.stderr.write(`the files are in ${folder}\n${server.output.slice(-4_000)}\n`);
process.exit(problems.size === 0 ? 0 : 1);
