import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { machineRows, table } from "../test/soak/machine.ts";
import { ApiClient, type Channel } from "../test/support/dashboard/api-client.ts";
import { type Child, startChild } from "../test/support/processes/children.ts";
import { FanfareProcess } from "../test/support/processes/fanfare-process.ts";
import { waitFor } from "../test/support/processes/waiting.ts";
import { type Clip, makeClip } from "../test/support/streams/clip.ts";
import { cpuSeconds } from "./relay-cost/usage.ts";

const USAGE = `usage: npm run bench:recording -- [--channels 10] [--seconds 15] [--rounds 5] [--kilobits 6000] [--folder FOLDER] [--profiles FOLDER]

The processor time that recording costs: one server, FFmpegs that publish all the time, recording turned off and on in turn by the API.
Channels have one platform, which is off. --folder: where the recordings go; the temporary folder by default. --profiles writes CPU profiles.
`;
const CREDENTIALS = { accessKey: "BENCHACCESSKEY", secretKey: "bench-secret-key-0123456789" };
const RECORDINGS = "/api/v2/re-stream/recordings";
/** After a change: the files are open, and what a start or an end costs is over. */
const SETTLE_MS = 4_000;
/** A server compiles what it runs often in its first seconds. */
const WARM_UP_MS = 10_000;
const DEADLINE_MS = 30_000;
const STOP_GRACE_MS = 5_000;
/** So much of what was sent must be on the disk: less, and something was not recorded. */
const RECORDED_MIN = 0.9;

const { values } = parseArgs({
  options: {
    channels: { type: "string", default: "10" },
    seconds: { type: "string", default: "15" },
    rounds: { type: "string", default: "5" },
    kilobits: { type: "string", default: "6000" },
    folder: { type: "string", default: tmpdir() },
    profiles: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const [channelCount = 0, seconds = 0, rounds = 0, kilobits = 0] = [
  values.channels,
  values.seconds,
  values.rounds,
  values.kilobits,
].map(Number);
if (![channelCount, seconds, rounds, kilobits].every((value) => value > 0)) throw new Error("all numbers are above 0");

const recordings = z.array(z.looseObject({ bytes: z.int(), endReason: z.string().optional() }));

/** A server with channels on air. */
class Bench {
  readonly #server: FanfareProcess;
  readonly #api: ApiClient;
  readonly #channels: readonly Channel[];

  constructor(server: FanfareProcess, api: ApiClient, channels: readonly Channel[]) {
    this.#server = server;
    this.#api = api;
    this.#channels = channels;
  }

  static async open(folder: string): Promise<Bench> {
    await mkdir(join(folder, "data"));
    const profiles =
      values.profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profiles}` };
    const environment = { FANFARE_RECORDING_FOLDER: join(folder, "recordings"), ...profiles };
    const dataFolder = join(folder, "data");
    const server = await FanfareProcess.start({ dataFolder, credentials: CREDENTIALS, from: "dist", environment });
    const api = new ApiClient(server.origin, CREDENTIALS, () => undefined);
    const channels: Channel[] = [];
    for (let index = 0; index < channelCount; index += 1) {
      const platform = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: "nowhere", enabled: false };
      channels.push(await api.createChannel(`recorded_${index}`, [platform]));
    }
    return new Bench(server, api, channels);
  }

  get urls(): readonly string[] {
    return this.#channels.map(({ publishUrl, streamKey }) => `${publishUrl}/${streamKey}`);
  }

  async untilOnAir(): Promise<void> {
    await waitFor("all channels to be on air", DEADLINE_MS, async () => {
      const now = await Promise.all(this.#channels.map(({ channelId }) => this.#api.channel(channelId)));
      return now.every(({ isPublishing }) => isPublishing) ? true : undefined;
    });
  }

  async turn(isOn: boolean): Promise<void> {
    for (const { channelId } of this.#channels) {
      const path = `/api/v2/re-stream/channels/${channelId}`;
      await this.#api.request("PUT", path, { recording: { enabled: isOn } });
    }
    await pass(SETTLE_MS);
  }

  /** The server's processor time, in percent of one core. */
  async measure(): Promise<number> {
    const [before, fromMs] = [await cpuSeconds([this.#server.pid]), performance.now()];
    await pass(seconds * 1_000);
    const [after, toMs] = [await cpuSeconds([this.#server.pid]), performance.now()];
    return ((after - before) / ((toMs - fromMs) / 1_000)) * 100;
  }

  /** Bytes on the disk; removes them. Throws where a recording ended by itself. */
  async clearRecordings(): Promise<number> {
    let bytes = 0;
    for (const { channelId } of this.#channels) {
      const found = recordings.parse(await this.#api.request("GET", `${RECORDINGS}?channelId=${channelId}`));
      const problem = found.find(({ endReason }) => endReason !== "TURNED_OFF");
      if (problem !== undefined) throw new Error(`a recording ended with ${problem.endReason}`);
      for (const file of found) {
        bytes += file.bytes;
        await this.#api.request("DELETE", `${RECORDINGS}/${channelId}/${file["recordingId"]}`);
      }
    }
    return bytes;
  }

  stop(): Promise<unknown> {
    return this.#server.stop();
  }
}

const middle = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;
const all = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(1)).join(", ");

async function run(clip: Clip, folder: string): Promise<void> {
  const bench = await Bench.open(folder);
  const input = ["-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-c", "copy"];
  const encoders: Child[] = [];
  try {
    for (const url of bench.urls) encoders.push(await startChild("ffmpeg", [...input, "-f", "flv", url]));
    await bench.untilOnAir();
    await bench.turn(true);
    await pass(WARM_UP_MS);
    await bench.turn(false);
    await bench.clearRecordings();
    const [without, recording, more]: [number[], number[], number[]] = [[], [], []];
    for (let round = 0; round < rounds; round += 1) {
      const off = await bench.measure();
      await bench.turn(true);
      const on = await bench.measure();
      await bench.turn(false);
      without.push(off);
      recording.push(on);
      more.push(on - off);
      const sentBytes = clip.bytesPerSecond * channelCount * seconds;
      if ((await bench.clearRecordings()) < sentBytes * RECORDED_MIN) throw new Error("not everything was recorded");
    }
    if (encoders.some((encoder) => !encoder.isRunning())) throw new Error("an encoder ended");
    process.stdout.write("| | percent of a core, each round | median |\n|---|---|---|\n");
    process.stdout.write(`| without recordings | ${all(without)} | ${middle(without).toFixed(1)} |\n`);
    process.stdout.write(`| with ${channelCount} recordings | ${all(recording)} | ${middle(recording).toFixed(1)} |\n`);
    process.stdout.write(`| more, within a round | ${all(more)} | **${middle(more).toFixed(1)}** |\n\n`);
    process.stdout.write(`${table(["machine", ""], machineRows(["ffmpeg"]))}\n`);
  } finally {
    for (const encoder of encoders) await encoder.stop("SIGKILL", STOP_GRACE_MS);
    await bench.stop();
  }
}

const clip = await makeClip({ seconds: 10, kilobits });
const folder = await mkdtemp(join(values.folder, "fanfare-recording-cost-"));
process.stdout.write(
  `${channelCount} encoders of ${((clip.bytesPerSecond * 8) / 1e6).toFixed(1)} Mbit/s, recorded in ${values.folder}\n\n`,
);
try {
  await run(clip, folder);
} finally {
  await rm(folder, { recursive: true, force: true });
}
