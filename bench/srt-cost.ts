import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { parseArgs } from "node:util";
import { z } from "zod";
import { machineRows, table } from "../test/soak/machine.ts";
import { ApiClient } from "../test/support/dashboard/api-client.ts";
import { type Child, runToEnd, startChild } from "../test/support/processes/children.ts";
import { FanfareProcess } from "../test/support/processes/fanfare-process.ts";
import { freePort } from "../test/support/processes/free-port.ts";
import { type Clip, makeClip } from "../test/support/streams/clip.ts";
import { cpuSeconds } from "./relay-cost/usage.ts";

const USAGE = `usage: npm run bench:srt -- [--encoders 10] [--each 1] [--seconds 12] [--rounds 2] [--kilobits 6000] [--profiles FOLDER]

The processor time that receiving SRT costs: Fanfare beside libsrt (one srt-live-transmit for each encoder, output to /dev/null), in turn,
in clear and with AES-128. Encoders are FFmpegs, each of which sends --each streams. Channels have one platform, which is off. --profiles
writes CPU profiles of Fanfare. "Arrived" is the share of what the encoders have to send in that time: below 99 % the machine does not
carry that many.
`;
const CREDENTIALS = { accessKey: "BENCHACCESSKEY", secretKey: "bench-secret-key-0123456789" };
const PASSPHRASE = "correct-horse-battery";
/** The server's start is over by then: V8 collects what it left some ten seconds later, on threads that count here. */
const WARM_UP_MS = 15_000;
const CONNECT_DEADLINE_MS = 90_000;
const STOP_GRACE_MS = 5_000;
/** libsrt gives up after 3 s, which is little while a hundred begin on a few cores. */
const CONNECT_MS = 20_000;
const KEYFRAME_EVERY_MS = 2_000;
const BYTES_PER_GB = 1e9;
const LOOK_EVERY_MS = 1_000;
const SAMPLE_EVERY_MS = 100;
const ingestAnswer = z.looseObject({ ingest: z.looseObject({ bytesTotal: z.int() }).optional() });

/** What encoders send to. */
type Receiver = {
  readonly urls: readonly string[];
  readonly pids: readonly number[];
  /** How many encoders publish now; undefined: not known. */
  readonly publishing?: () => Promise<number>;
  /** Resolves when there is a new count of what arrived. */
  readonly nextCount?: () => Promise<void>;
  /** What has arrived of all clips' audio and video so far, in bytes. */
  readonly arrivedBytes: () => Promise<number>;
  readonly close: () => Promise<void>;
};

const { values } = parseArgs({
  options: {
    encoders: { type: "string", default: "10" },
    each: { type: "string", default: "1" },
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
const [encoders = 0, each = 0, seconds = 0, rounds = 0, kilobits = 0] = [
  values.encoders,
  values.each,
  values.seconds,
  values.rounds,
  values.kilobits,
].map(Number);
if (![encoders, each, seconds, rounds, kilobits].every((value) => value > 0))
  throw new Error("all numbers are above 0");

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
  const waiting = new Set(ids);
  const arrived = async (id: string) => ingestAnswer.parse(await api.channel(id)).ingest?.bytesTotal ?? 0;
  const sum = (counts: readonly number[]) => counts.reduce((total, count) => total + count, 0);
  return {
    urls,
    pids: [server.pid],
    // The server counts once a second.
    nextCount: async () => {
      const [first = ""] = ids;
      for (const before = await arrived(first); (await arrived(first)) === before; ) await pass(SAMPLE_EVERY_MS);
    },
    arrivedBytes: async () => sum(await Promise.all(ids.map(arrived))),
    publishing: async () => {
      // Only those that did not publish yet: a hundred requests each second would be most of the load.
      for (const id of waiting) if ((await api.channel(id)).isPublishing) waiting.delete(id);
      return encoders - waiting.size;
    },
    close: async () => {
      await server.stop();
      await rm(dataFolder, { recursive: true, force: true });
    },
  };
}

/** `mediaShare`: bytes of audio and video in a byte of MPEG-TS. */
async function openLibsrt(mediaShare: number, passphrase: string | undefined): Promise<Receiver> {
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
    arrivedBytes: async () => {
      let written = 0;
      for (const { pid } of programs)
        written += Number(/^wchar: (\d+)$/m.exec(await readFile(`/proc/${pid}/io`, "utf8"))?.[1]);
      return written * mediaShare;
    },
    close: async () => {
      for (const program of programs) await program.stop("SIGINT", STOP_GRACE_MS);
    },
  };
}

/** Starts FFmpegs that send the clip to every address, over and over. */
async function startSenders(clip: Clip, urls: readonly string[]): Promise<Child[]> {
  const input = ["-loglevel", "error", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-c", "copy"];
  const senders: Child[] = [];
  for (let from = 0; from < urls.length; from += each) {
    const outputs = urls.slice(from, from + each).map((url) => `[f=mpegts]${url}`);
    senders.push(await startChild("ffmpeg", [...input, "-map", "0", "-f", "tee", outputs.join("|")]));
    // Their keyframes do not come at the same time, as with encoders of different people.
    await pass((each * KEYFRAME_EVERY_MS) / urls.length);
  }
  return senders;
}

/** Cores are those that were busy, on average. */
type Cost = {
  readonly secondsPerGb: number;
  readonly arrivedPercent: number;
  readonly cores: number;
  readonly senderCores: number;
};

async function measure(clip: Clip, receiver: Receiver, passphrase: string | undefined): Promise<Cost> {
  const secret = passphrase === undefined ? "" : `&passphrase=${passphrase}&pbkeylen=16`;
  let senders: Child[] = [];
  const count = async () => {
    await receiver.nextCount?.();
    const [cpu, timeMs] = [await cpuSeconds(receiver.pids), performance.now()];
    const senderCpu = await cpuSeconds(senders.map(({ pid }) => pid));
    return { cpu, timeMs, senderCpu, bytes: await receiver.arrivedBytes() };
  };
  try {
    senders = await startSenders(
      clip,
      receiver.urls.map((url) => `${url}&connect_timeout=${CONNECT_MS}${secret}`),
    );
    for (const startMs = performance.now(); receiver.publishing !== undefined; await pass(LOOK_EVERY_MS)) {
      const publishing = await receiver.publishing();
      if (publishing === encoders) break;
      if (performance.now() - startMs > CONNECT_DEADLINE_MS) throw new Error(`only ${publishing} encoders publish`);
    }
    await pass(WARM_UP_MS);
    const before = await count();
    await pass(seconds * 1_000);
    const after = await count();
    const ended = senders.find((sender) => !sender.isRunning());
    if (ended !== undefined) throw new Error(`an encoder ended:\n${ended.stderr().slice(-2_000)}`);
    const [passed, bytes] = [(after.timeMs - before.timeMs) / 1_000, after.bytes - before.bytes];
    return {
      secondsPerGb: ((after.cpu - before.cpu) / bytes) * BYTES_PER_GB,
      arrivedPercent: (100 * bytes) / (encoders * clip.bytesPerSecond * passed),
      cores: (after.cpu - before.cpu) / passed,
      senderCores: (after.senderCpu - before.senderCpu) / passed,
    };
  } finally {
    for (const sender of senders) await sender.stop("SIGKILL", STOP_GRACE_MS);
    await receiver.close();
  }
}

/** Bytes of audio and video in a byte of MPEG-TS, as FFmpeg writes it. */
async function mediaShareOf(clip: Clip): Promise<number> {
  const path = `${clip.path}.${process.pid}.ts`;
  await runToEnd("ffmpeg", ["-loglevel", "error", "-nostdin", "-i", clip.path, "-c", "copy", "-f", "mpegts", path]);
  const { size } = await stat(path);
  await rm(path);
  return (clip.bytesPerSecond * clip.seconds) / size;
}

const middle = (costs: readonly Cost[]) =>
  costs.map(({ secondsPerGb }) => secondsPerGb).toSorted((a, b) => a - b)[costs.length >> 1] ?? Number.NaN;

const clip = await makeClip({ seconds: 10, kilobits });
const mediaShare = await mediaShareOf(clip);
process.stdout.write(`${encoders} encoders of ${((clip.bytesPerSecond * 8) / 1e6).toFixed(1)} Mbit/s\n\n`);
process.stdout.write(
  "| | receiver | s per GB | arrived | its cores | the encoders' cores |\n|---|---|---|---|---|---|\n",
);
for (const [name, passphrase] of [["clear", undefined] as const, ["AES-128", PASSPHRASE] as const]) {
  const costs: { readonly libsrt: Cost[]; readonly Fanfare: Cost[] } = { libsrt: [], Fanfare: [] };
  for (let round = 0; round < rounds; round += 1) {
    for (const receiver of ["libsrt", "Fanfare"] as const) {
      const opened = receiver === "libsrt" ? openLibsrt(mediaShare, passphrase) : openFanfare(passphrase);
      const cost = await measure(clip, await opened, passphrase);
      costs[receiver].push(cost);
      const cells = [cost.secondsPerGb.toFixed(1), `${cost.arrivedPercent.toFixed(1)} %`, cost.cores.toFixed(2)];
      process.stdout.write(`| ${[name, receiver, ...cells, cost.senderCores.toFixed(2)].join(" | ")} |\n`);
    }
  }
  process.stdout.write(`| ${name} | times | ${(middle(costs.Fanfare) / middle(costs.libsrt)).toFixed(2)} | | | |\n`);
}
process.stdout.write(`\n${table(["machine", ""], machineRows())}\n`);
