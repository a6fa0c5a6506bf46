import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { machineRows, table } from "../test/soak/machine.ts";
import { ApiClient } from "../test/support/dashboard/api-client.ts";
import { type Child, startChild } from "../test/support/processes/children.ts";
import { FanfareProcess } from "../test/support/processes/fanfare-process.ts";
import { freePort } from "../test/support/processes/free-port.ts";
import { type Clip, makeClip } from "../test/support/streams/clip.ts";
import { cpuSeconds } from "./relay-cost/usage.ts";

const USAGE = `usage: npm run bench:srt -- [--encoders 10] [--seconds 12] [--rounds 2] [--kilobits 6000] [--profiles FOLDER]

The processor time that receiving SRT costs: Fanfare beside libsrt (one srt-live-transmit for each encoder, output to /dev/null), in turn,
in clear and with AES-128. Encoders are FFmpegs. Channels have one platform, which is off. --profiles writes CPU profiles of Fanfare.
`;
const CREDENTIALS = { accessKey: "BENCHACCESSKEY", secretKey: "bench-secret-key-0123456789" };
const PASSPHRASE = "correct-horse-battery";
/** The server's start is over by then: V8 collects what it left some ten seconds later, on threads that count here. */
const WARM_UP_MS = 15_000;
const CONNECT_DEADLINE_MS = 90_000;
const STOP_GRACE_MS = 5_000;
const BYTES_PER_GB = 1e9;

/** What encoders send to. */
type Receiver = {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  /** How many encoders publish now; undefined: not known. */
  readonly publishing?: () => Promise<number>;
  readonly close: () => Promise<void>;
};

const { values } = parseArgs({
  options: {
    encoders: { type: "string", default: "10" },
    seconds: { type: "string", default: "12" },
    rounds: { type: "string", default: "2" },
    kilobits: { type: "string", default: "6000" },
    profiles: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(USAGE);
  process.exit(0);
}
const [encoders = 0, seconds = 0, rounds = 0, kilobits = 0] = [
  values.encoders,
  values.seconds,
  values.rounds,
  values.kilobits,
].map(Number);
if (![encoders, seconds, rounds, kilobits].every((value) => value > 0)) throw new Error("all numbers are above 0");

async function openFanfare(passphrase: string | undefined): Promise<Receiver> {
  const dataFolder = await mkdtemp(join(tmpdir(), "fanfare-srt-cost-"));
  const secret = passphrase === undefined ? {} : { FANFARE_SRT_PASSPHRASE: passphrase };
  const profiles =
    values.profiles === undefined ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${values.profiles}` };
  const environment = { FANFARE_SRT_PORT: "0", ...secret, ...profiles };
  const server = await FanfareProcess.start({ dataFolder, credentials: CREDENTIALS, from: "dist", environment });
  const api = new ApiClient(server.origin, CREDENTIALS, () => undefined);
  const ids: string[] = [];
  const urls: string[] = [];
  for (let index = 0; index < encoders; index += 1) {
    const platform = { rtmpUrl: "rtmp://127.0.0.1:9/live", streamKey: "nowhere" };
    const { channelId, streamKey, srtUrl = "" } = await api.createChannel(`srt_cost_${index}`, [platform]);
    for (const { platId } of await api.platforms(channelId))
      await api.request("PUT", `/api/v2/re-stream/channels/${channelId}/platforms/${platId}/off`);
    ids.push(channelId);
    urls.push(`${srtUrl}?streamid=publish:${streamKey}`);
  }
  return {
    urls,
    pids: [server.pid],
    publishing: async () =>
      (await Promise.all(ids.map((id) => api.channel(id)))).filter(({ isPublishing }) => isPublishing).length,
    close: async () => {
      await server.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

async function openLibsrt(passphrase: string | undefined): Promise<Receiver> {
  const programs: Child[] = [];
  const urls: string[] = [];
  const secret = passphrase === undefined ? "" : `&passphrase=${passphrase}`;
  for (let index = 0; index < encoders; index += 1) {
    const port = await freePort();
    const from = `srt://127.0.0.1:${port}?mode=listener&latency=300${secret}`;
    programs.push(
      await startChild("sh", ["-c", `exec srt-live-transmit -q -loglevel:error '${from}' file://con >/dev/null`]),
    );
    urls.push(`srt://127.0.0.1:${port}?streamid=x`);
  }
  return {
    urls,
    pids: programs.map(({ pid }) => pid),
    close: async () => {
      for (const program of programs) await program.stop("SIGINT", STOP_GRACE_MS);
    },
  };
}

/** Processor seconds for each GB received. */
async function measure(clip: Clip, receiver: Receiver, passphrase: string | undefined): Promise<number> {
  const secret = passphrase === undefined ? "" : `&passphrase=${passphrase}&pbkeylen=16`;
  const input = ["-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-c", "copy"];
  const senders: Child[] = [];
  try {
    for (const url of receiver.urls)
      senders.push(await startChild("ffmpeg", [...input, "-f", "mpegts", `${url}${secret}`]));
    for (const startMs = performance.now(); ; await pass(200)) {
      if (receiver.publishing === undefined || (await receiver.publishing()) === encoders) break;
      if (performance.now() - startMs > CONNECT_DEADLINE_MS) throw new Error("not all encoders publish");
    }
    await pass(WARM_UP_MS);
    const [before, fromMs] = [await cpuSeconds(receiver.pids), performance.now()];
    await pass(seconds * 1_000);
    const [after, toMs] = [await cpuSeconds(receiver.pids), performance.now()];
    if (senders.some((sender) => !sender.isRunning())) throw new Error("an encoder ended");
    const gigabytes = (((toMs - fromMs) / 1_000) * encoders * clip.bytesPerSecond) / BYTES_PER_GB;
    return (after - before) / gigabytes;
  } finally {
    for (const sender of senders) await sender.stop("SIGKILL", STOP_GRACE_MS);
    await receiver.close();
  }
}

const middle = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? Number.NaN;

const clip = await makeClip({ seconds: 10, kilobits });
process.stdout.write(`${encoders} encoders of ${((clip.bytesPerSecond * 8) / 1e6).toFixed(1)} Mbit/s\n\n`);
process.stdout.write("| | libsrt, s per GB | Fanfare, s per GB | times |\n|---|---|---|---|\n");
for (const [name, passphrase] of [["clear", undefined] as const, ["AES-128", PASSPHRASE] as const]) {
  const [libsrt, fanfare]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round += 1) {
    libsrt.push(await measure(clip, await openLibsrt(passphrase), passphrase));
    fanfare.push(await measure(clip, await openFanfare(passphrase), passphrase));
  }
  const all = (numbers: readonly number[]) => numbers.map((number) => number.toFixed(1)).join(", ");
  const times = (middle(fanfare) / middle(libsrt)).toFixed(2);
  process.stdout.write(`| ${name} | ${all(libsrt)} | ${all(fanfare)} | ${times} |\n`);
}
process.stdout.write(`\n${table(["machine", ""], machineRows())}\n`);
