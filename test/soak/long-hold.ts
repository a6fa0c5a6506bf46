import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import type { FlvTag } from "../../src/protocol/flv/flv-tag.ts";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { PlatformWatch } from "../support/dashboard/platform-watch.ts";
import { startFfmpeg } from "../support/encoders/ffmpeg-encoder.ts";
import type { Child } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { makeClip } from "../support/streams/clip.ts";
import { decodingErrors } from "../support/streams/decoding.ts";
import { isCodedMedia, isVideo, stepsBack } from "../support/streams/flv-file.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";
import { machineRows, table } from "./machine.ts";
import { programOptions } from "./program-options.ts";

const USAGE = `usage: npm run long-hold -- [--write] [--note TEXT]

FFmpeg publishes, is killed and comes back after 45 s, and in another broadcast after 100 s; nginx-rtmp records what it gets.
Exits with 1 if a recording is not as it must be. --write puts the result into docs/results/long-hold.md.
`;
/** The hold's default is 120 s. */
const DROPS_MS = [45_000, 100_000] as const;
/** On air before the drop, and again after it. */
const BEFORE_MS = 10_000;
const AGAIN_SECONDS = 12;
const DEADLINE_MS = 20_000;
/** Between the recording's time and the wall clock's. */
const DRIFT_MAX_MS = 2_000;
/** How often the recording is looked at. */
const LOOK_MS = 250;
/** Filler shows two frames a second. */
const FILLER_GAP_MS = 500;

type Figures = {
  readonly dropMs: number;
  readonly recordings: number;
  readonly statuses: readonly string[];
  readonly mediaMs: number;
  readonly wallMs: number;
  readonly driftMaxMs: number;
  readonly fillerFrames: number;
  readonly longestGapMs: number;
  readonly stepsBack: readonly string[];
  readonly decodingErrors: string;
  readonly problems: readonly string[];
};

/** One broadcast with one drop. Nothing of it stays behind: everything it started is stopped however it ends. */
async function drop(api: ApiClient, nginx: NginxTarget, dropMs: number): Promise<Figures> {
  const key = `hold-${randomBytes(6).toString("hex")}`;
  const channel = await api.createChannel(`hold_${dropMs}`, [{ rtmpUrl: nginx.url, streamKey: key }]);
  const watch = new PlatformWatch(api, channel.channelId);
  const url = `${channel.publishUrl}/${channel.streamKey}`;
  const clip = await makeClip({ seconds: AGAIN_SECONDS });
  const encoders: Child[] = [];
  const clock = new RecordingClock(nginx, key);
  try {
    const first = await startFfmpeg(clip, url, { loops: true });
    encoders.push(first);
    await watch.until(0, ({ connectStatus }) => connectStatus === "PUBLISHING", DEADLINE_MS);
    await clock.start();
    await pass(BEFORE_MS);
    first.kill("SIGKILL");
    await first.exited;
    await pass(dropMs);
    const again = await startFfmpeg(clip, url);
    encoders.push(again);
    const { code } = await again.exited;
    await watch.until(0, ({ connectStatus }) => connectStatus === "READY", DEADLINE_MS);
    await clock.stop();
    const problems = code === 0 ? [] : [`the encoder that came back ended with ${code}: ${again.stderr()}`];
    return await judge({ dropMs, nginx, key, clock, statuses: watch.statuses(0), problems });
  } finally {
    await Promise.all([clock.stop(), watch.stop(), ...encoders.map((encoder) => encoder.stop("SIGKILL", 1_000))]);
  }
}

/** Looks again and again how far a recording has come, and compares that with the time that passed. */
class RecordingClock {
  /** The recording's time less the wall clock's, at most, in either direction; nginx writes as it receives. */
  driftMaxMs = 0;
  wallMs = 0;
  readonly #nginx: NginxTarget;
  readonly #key: string;
  readonly #stopping = new AbortController();
  #stopped: Promise<void> = Promise.resolve();

  constructor(nginx: NginxTarget, key: string) {
    this.#nginx = nginx;
    this.#key = key;
  }

  /** The recording has begun, and its content is from now. */
  async start(): Promise<void> {
    const isBegun = (tags: readonly FlvTag[]): boolean => (tags.at(-1)?.timestamp ?? 0) > 0;
    const { tags } = await this.#nginx.waitForRecording(this.#key, isBegun, DEADLINE_MS);
    const epochMs = performance.now() - (tags.at(-1)?.timestamp ?? 0);
    this.#stopped = this.#run(epochMs);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#stopped;
  }

  async #run(epochMs: number): Promise<void> {
    let lastMs = 0;
    while (!this.#stopping.signal.aborted) {
      const nowMs = performance.now() - epochMs;
      const mediaMs = (await this.#nginx.recordings(this.#key))[0]?.tags.at(-1)?.timestamp ?? 0;
      // Once nothing comes any more the broadcast is over, and nothing is late.
      if (mediaMs > lastMs) {
        this.driftMaxMs = Math.max(this.driftMaxMs, Math.abs(mediaMs - nowMs));
        this.wallMs = nowMs;
      }
      lastMs = mediaMs;
      await pass(LOOK_MS);
    }
  }
}

async function judge(broadcast: {
  readonly dropMs: number;
  readonly nginx: NginxTarget;
  readonly key: string;
  readonly clock: RecordingClock;
  readonly statuses: readonly string[];
  readonly problems: readonly string[];
}): Promise<Figures> {
  const { dropMs, nginx, key, clock, statuses } = broadcast;
  const recordings = await nginx.recordings(key);
  const [recording] = recordings;
  if (recording === undefined) throw new Error("nothing was recorded");
  const { tags, path } = recording;
  const frames = tags.filter((tag) => isVideo(tag) && isCodedMedia(tag));
  const gaps = frames.map((tag, index) => tag.timestamp - (frames[index - 1]?.timestamp ?? tag.timestamp));
  const back = stepsBack(tags);
  const errors = await decodingErrors(path);
  const fillerFrames = gaps.filter((gapMs) => gapMs === FILLER_GAP_MS).length;
  const problems = [...broadcast.problems];
  if (recordings.length !== 1) problems.push(`${recordings.length} connections instead of one`);
  if (statuses.includes("FAIL")) problems.push(`the target was shown as ${statuses.join(" → ")}`);
  if (back.length > 0) problems.push(`time goes back: ${back.join("; ")}`);
  if (errors !== "") problems.push(`FFmpeg says: ${errors.slice(0, 500)}`);
  if (clock.driftMaxMs > DRIFT_MAX_MS) problems.push(`${Math.round(clock.driftMaxMs)} ms off the wall clock`);
  // Two frames a second, less the time until the silence is noticed.
  if (fillerFrames < (dropMs - DRIFT_MAX_MS - 1_000) / FILLER_GAP_MS)
    problems.push(`only ${fillerFrames} frames of filler`);
  const mediaMs = tags.at(-1)?.timestamp ?? 0;
  return {
    dropMs,
    recordings: recordings.length,
    statuses,
    mediaMs,
    wallMs: clock.wallMs,
    driftMaxMs: clock.driftMaxMs,
    fillerFrames,
    longestGapMs: Math.max(...gaps),
    stepsBack: back,
    decodingErrors: errors,
    problems,
  };
}

function rows(figures: Figures): [string, string][] {
  return [
    ["connections to the target", `${figures.recordings}`],
    ["what the API showed of it", figures.statuses.join(" → ")],
    ["recording, last timestamp", `${(figures.mediaMs / 1_000).toFixed(2)} s`],
    ["wall clock then", `${(figures.wallMs / 1_000).toFixed(2)} s`],
    ["recording off the wall clock, at most, while it grew", `${Math.round(figures.driftMaxMs)} ms`],
    ["frames of filler", `${figures.fillerFrames}`],
    ["longest time between two frames", `${figures.longestGapMs} ms`],
    ["steps back in time", figures.stepsBack.length === 0 ? "none" : figures.stepsBack.join("; ")],
    [
      "`ffmpeg -v error` over the whole recording",
      figures.decodingErrors === "" ? "no line" : `${figures.decodingErrors.split("\n").length} lines`,
    ],
  ];
}

function report(results: readonly Figures[], note: string | undefined): string {
  const parts = results.map((figures) => {
    const verdict =
      figures.problems.length === 0 ? "As it must be." : figures.problems.map((each) => `- **${each}**`).join("\n");
    return `## A drop of ${figures.dropMs / 1_000} s\n\n${verdict}\n\n${table(["", ""], rows(figures))}`;
  });
  return `# Long drops

\`npm run long-hold -- --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: FFmpeg publishes and gets SIGKILL; the channel's hold is the default, 120 s; FFmpeg
comes back and ends cleanly; nginx-rtmp records. H.264 640x360 at 25 fps and 1500 kbit/s with AAC stereo, a keyframe every 2 s. Each drop is a broadcast of its own; both run at once.
${note === undefined ? "" : `\n${note}\n`}
${table(["machine", ""], machineRows(["ffmpeg"]))}

${parts.join("\n\n")}
`;
}

const values = programOptions(USAGE, {
  write: { type: "boolean", default: false },
  note: { type: "string" },
});
const folder = await mkdtemp(join(tmpdir(), "fanfare-long-hold-"));
const nginx = await NginxTarget.start(join(folder, "nginx"));
const credentials = { accessKey: "HOLD0000000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const results = await Promise.all(DROPS_MS.map((dropMs) => drop(api, nginx, dropMs)));
await server.stop();
await nginx.stop();
const page = report(results, values.note);
process.stdout.write(page);
if (values.write) {
  await mkdir(join(ROOT, "docs", "results"), { recursive: true });
  await writeFile(join(ROOT, "docs", "results", "long-hold.md"), page);
}
const isAudioTag = results.every(({ problems }) => problems.length === 0);
if (isAudioTag) await rm(folder, { recursive: true, force: true });
else {
  await writeFile(join(folder, "server.log"), server.output);
  process.stderr.write(`the recordings and the server's log are in ${folder}\n`);
}
process.exit(isAudioTag ? 0 : 1);
