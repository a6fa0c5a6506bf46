import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { ApiClient } from "../support/dashboard/api-client.ts";
import { upload } from "../support/dashboard/media-uploads.ts";
import { PlatformWatch } from "../support/dashboard/platform-watch.ts";
import { type Child, startChild } from "../support/processes/children.ts";
import { FanfareProcess, ROOT } from "../support/processes/fanfare-process.ts";
import { waitFor } from "../support/processes/waiting.ts";
import { makeFile } from "../support/streams/made-files.ts";
import { NginxTarget } from "../support/targets/nginx-target.ts";
import { machineRows, table } from "./machine.ts";
import { judgeRecording, type RecordingFigures } from "./never-dark/judge-recording.ts";

const USAGE = `usage: npm run never-dark -- [--minutes N] [--changes N] [--write] [--note TEXT]

One broadcast in which a file, a live encoder and the slate follow one another, N times in so many minutes (default 100 in
10), to a target and to one that is delayed by 5 s. Judges what nginx-rtmp recorded. Exits with 1 if that is not as it must
be. --write puts the result into docs/results/never-dark.md.
`;
const DEADLINE_MS = 60_000;
const CLIP_SECONDS = 20;
const DELAY_SECONDS = 5;
const DRIFT_MAX_MS = 20;

const channelAnswer = z.looseObject({
  ingest: z
    .looseObject({ state: z.string(), sourceKind: z.string().optional(), slateShown: z.boolean().optional() })
    .optional(),
});
type Ingest = NonNullable<z.infer<typeof channelAnswer>["ingest"]>;

/** One of the five changes of a round, and how the channel is once it is done. */
type Change = {
  readonly name: string;
  readonly make: () => Promise<void>;
  readonly isDone: (ingest: Ingest) => boolean;
};

/** A channel with its file, its slate and its encoder. */
class Show {
  readonly #api: ApiClient;
  readonly #url: string;
  readonly #publishUrl: string;
  readonly #clip: string;
  #encoder: Child | undefined;

  constructor(api: ApiClient, channelId: string, publishUrl: string, clip: string) {
    this.#api = api;
    this.#url = `/api/v2/re-stream/channels/${channelId}`;
    this.#publishUrl = publishUrl;
    this.#clip = clip;
  }

  readonly playFile: Change = {
    name: "the file plays",
    make: async () => void (await this.#api.request("POST", `${this.#url}/source/start`)),
    isDone: ({ state, sourceKind, slateShown }) => state === "LIVE" && sourceKind === "files" && slateShown !== true,
  };
  /** One round: it ends as it began. */
  readonly round: readonly Change[] = [
    {
      name: "an encoder takes over from the file",
      make: () => this.#startEncoder(),
      isDone: ({ state, sourceKind }) => state === "LIVE" && sourceKind === undefined,
    },
    {
      name: "the curtain closes",
      make: async () => void (await this.#api.request("POST", `${this.#url}/curtain`)),
      isDone: ({ slateShown }) => slateShown === true,
    },
    {
      name: "the curtain opens",
      make: async () => void (await this.#api.request("DELETE", `${this.#url}/curtain`)),
      isDone: ({ state, slateShown }) => state === "LIVE" && slateShown !== true,
    },
    {
      name: "the encoder is lost",
      make: async () => void (await this.stopEncoder()),
      isDone: ({ state, slateShown }) => state === "HELD" && slateShown === true,
    },
    this.playFile,
  ];

  async make({ name, make, isDone }: Change): Promise<void> {
    await make();
    let last = "";
    const look = async () => {
      const { ingest } = channelAnswer.parse(await this.#api.request("GET", this.#url));
      last = JSON.stringify(ingest);
      return ingest !== undefined && isDone(ingest) ? true : undefined;
    };
    await waitFor(name, DEADLINE_MS, look, () => last);
  }

  async stopEncoder(): Promise<void> {
    await this.#encoder?.stop("SIGKILL", 0);
    this.#encoder = undefined;
  }

  async #startEncoder(): Promise<void> {
    const input = ["-v", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", this.#clip];
    this.#encoder = await startChild("ffmpeg", [...input, "-c", "copy", "-f", "flv", this.#publishUrl]);
  }
}

/** Makes the changes, evenly over the time; returns how long each kind of them took at most, in milliseconds. */
async function perform(show: Show, changes: number, forMs: number): Promise<ReadonlyMap<string, number>> {
  const longest = new Map<string, number>();
  const startMs = performance.now();
  await show.make(show.playFile);
  for (let count = 0; count < changes; count += 1) {
    await pass(Math.max(0, startMs + ((count + 1) * forMs) / (changes + 1) - performance.now()));
    const change = show.round[count % show.round.length] ?? show.playFile;
    const beganMs = performance.now();
    await show.make(change);
    longest.set(change.name, Math.max(longest.get(change.name) ?? 0, performance.now() - beganMs));
    process.stderr.write(`\r${count + 1} of ${changes} changes`);
  }
  process.stderr.write("\n");
  return longest;
}

function rows({ connections, mediaMs, stepsBack, decodingErrors, drift, longestGapMs }: RecordingFigures) {
  return [
    ["connections", `${connections}`],
    ["recording, last timestamp", `${(mediaMs / 1_000).toFixed(1)} s`],
    ["steps back in time", `${stepsBack.length}`],
    ["messages of `ffmpeg -v error` over the whole recording", `${decodingErrors.length}`],
    ["audio against video, at most", `${drift.maxMs} ms (${drift.pairs} pairs of frames compared)`],
    ["longest time between two video frames", `${longestGapMs} ms`],
  ] as const;
}

function problemsOf({ connections, stepsBack, decodingErrors, drift }: RecordingFigures, name: string): string[] {
  return [
    ...(connections === 1 ? [] : [`${name}: ${connections} connections instead of one`]),
    ...(stepsBack.length === 0 ? [] : [`${name}: time goes back: ${stepsBack.slice(0, 3).join("; ")}`]),
    ...(decodingErrors.length === 0 ? [] : [`${name}: FFmpeg says: ${decodingErrors.slice(0, 3).join("; ")}`]),
    ...(drift.maxMs <= DRIFT_MAX_MS ? [] : [`${name}: audio is ${drift.maxMs} ms off the video`]),
    ...(drift.pairs > 100 && drift.strangers < drift.pairs / 10 ? [] : [`${name}: too little could be compared`]),
  ];
}

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    changes: { type: "string", default: "100" },
    write: { type: "boolean", default: false },
    note: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const [minutes, changes] = [Number(values.minutes), Number(values.changes)];
if (values.help || !(minutes > 0) || !(changes > 0)) {
  process.stdout.write(USAGE);
  process.exit(values.help ? 0 : 2);
}
const folder = await mkdtemp(join(tmpdir(), "fanfare-never-dark-"));
const nginx = await NginxTarget.start(join(folder, "nginx"));
const credentials = { accessKey: "DARK0000000000000001", secretKey: randomBytes(20).toString("hex") };
const server = await FanfareProcess.start({ dataFolder: join(folder, "data"), credentials });
const api = new ApiClient(server.origin, credentials, () => undefined);
const noise = ["-af", "aeval=random(0)*0.2|random(1)*0.2:c=stereo"];
const clip = await makeFile(folder, "clip.mp4", { seconds: CLIP_SECONDS, size: "480x270", audio: noise });
const picture = join(folder, "slate.png");
const drawn = ["-v", "error", "-f", "lavfi", "-i", "color=navy:size=480x270", "-frames:v", "1", picture];
await (await startChild("ffmpeg", drawn)).exited;
const keys = ["direct", "delayed"].map((name) => `${name}-${randomBytes(6).toString("hex")}`);
const [direct = "", delayed = ""] = keys;
const channel = await api.createChannel("never_dark", [
  { rtmpUrl: nginx.url, streamKey: direct },
  { rtmpUrl: nginx.url, streamKey: delayed, delaySeconds: DELAY_SECONDS },
]);
const watch = new PlatformWatch(api, channel.channelId);
const url = `/api/v2/re-stream/channels/${channel.channelId}`;
const [file, slate] = [await upload(api, clip), await upload(api, picture)];
await api.request("PUT", `${url}/source`, { fileIds: [file.fileId], loop: true });
await api.request("PUT", `${url}/slate`, { fileId: slate.fileId });
const show = new Show(api, channel.channelId, `${channel.publishUrl}/${channel.streamKey}`, clip);
const longest = await perform(show, changes, minutes * 60_000);
await show.stopEncoder();
await api.request("POST", `${url}/end`);
await watch.until(0, ({ connectStatus }) => connectStatus === "READY", DEADLINE_MS);
await watch.until(1, ({ connectStatus }) => connectStatus === "READY", DEADLINE_MS);
const statuses = [0, 1].map((index) => watch.statuses(index).join(" → "));
await watch.stop();
await server.stop();
await nginx.stop();
const figures = [await judgeRecording(nginx, direct, clip), await judgeRecording(nginx, delayed, clip)];
const names = ["the target", `the target that is delayed by ${DELAY_SECONDS} s`];
const problems = figures.flatMap((each, index) => problemsOf(each, names[index] ?? ""));
if (statuses.some((all) => all.includes("FAIL"))) problems.push(`a target was shown as ${statuses.join("; ")}`);
const page = `# Never dark

\`npm run never-dark -- --minutes ${minutes} --changes ${changes} --write\`, ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC: one broadcast in which a file of the server, FFmpeg as a live
encoder and a picture as slate follow one another (file → live → slate behind the curtain → live → slate in a hold → file), to nginx-rtmp.
H.264 480x270 at 30 fps with AAC stereo. "Audio against video" compares each frame's time in the recording with its time in the clip that it
comes from.
${values.note === undefined ? "" : `\n${values.note}\n`}
${problems.length === 0 ? "As it must be." : problems.map((each) => `- **${each}**`).join("\n")}

${table(["machine", ""], machineRows(["ffmpeg"]))}

${figures.map((each, index) => `## ${names[index]}\n\n${table(["", ""], rows(each))}`).join("\n\n")}

## The changes

${table(
  ["change", "until the API showed it, at most"],
  [...longest].map(([name, ms]) => [name, `${(ms / 1_000).toFixed(1)} s`] as const),
)}
`;
process.stdout.write(page);
if (values.write) {
  await mkdir(join(ROOT, "docs", "results"), { recursive: true });
  await writeFile(join(ROOT, "docs", "results", "never-dark.md"), page);
}
if (problems.length === 0) await rm(folder, { recursive: true, force: true });
else {
  await writeFile(join(folder, "server.log"), server.output);
  process.stderr.write(`the recordings and the server's log are in ${folder}\n`);
}
process.exit(problems.length === 0 ? 0 : 1);
