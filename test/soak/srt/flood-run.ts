import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pass } from "node:timers/promises";
import { ApiClient, type Channel } from "../../support/dashboard/api-client.ts";
import { type Child, startChild } from "../../support/processes/children.ts";
import { FanfareProcess } from "../../support/processes/fanfare-process.ts";
import { NetworkNamespace, type Traffic } from "../../support/processes/network-namespace.ts";
import { waitFor } from "../../support/processes/waiting.ts";
import { makeClip } from "../../support/streams/clip.ts";
import { Healthy } from "../fuzzing/healthy.ts";
import { longestWaitMs, residentBytes, waitedMs } from "../server-process.ts";

const CREDENTIALS = { accessKey: "FLOODACCESSKEY", secretKey: "flood-secret-key-0123456789" };
const ON_AIR_DEADLINE_MS = 30_000;
const SETTLE_MS = 1_000;
const STOP_GRACE_MS = 3_000;
const QUIET_MS = 100;
const QUIET_BYTES = 500;
/** What kernels send of their own in one flood: ARP, and IPv6's search for neighbours. */
export const LINK_BYTES = 2_000;
/** Addresses that RFC 2544 keeps for tests; each process has its own 16,384 of them: 64 networks of an ingest limit. */
const NETWORK = `198.${18 + (process.pid & 1)}.${64 * ((process.pid >> 1) & 3)}.0/18`;
const HOSTILE_ENCODERS = 4;
const SRT_FOLDER = import.meta.dirname;

/**
 * What is sent. The first four have made-up senders, from a raw socket: `made-up-cookies` are the second packets of a
 * handshake, `loss-reports` have 364 words, for connections that do not exist. The last two get what the server replies.
 */
export const FLOODS = [
  "first-packets",
  "made-up-cookies",
  "loss-reports",
  "noise",
  "half-handshakes",
  "encoders",
] as const;
type Flood = (typeof FLOODS)[number];

export type FloodFigures = {
  readonly flood: Flood | "none";
  /** Datagrams a second that reached the server's interface. */
  readonly perSecond: number;
  readonly inBytes: number;
  /** What the server sent back. */
  readonly outBytes: number;
  /** The longest time between two messages at the platforms of the two healthy channels, in milliseconds. */
  readonly rtmpGapMs: number;
  readonly srtGapMs: number;
  /** Of that, how long a busy machine may have kept the server and the SRT encoder from a processor. */
  readonly waitedMs: number;
  readonly residentBytes: number;
};

export type FloodOptions = {
  readonly secondsEach: number;
  readonly perSecond: number;
  readonly from: "sources" | "dist";
  readonly kinds?: readonly Flood[];
};

/** Floods the SRT port of a real server from a network namespace, beside one healthy channel over RTMP and one over SRT. */
export async function runSrtFlood(options: FloodOptions, onFigures: (figures: FloodFigures) => void): Promise<void> {
  const closers: (() => Promise<unknown>)[] = [];
  try {
    await flood(options, closers, onFigures);
  } finally {
    for (const close of closers.reverse()) await close();
  }
}

async function flood(
  { secondsEach, perSecond, from, kinds = FLOODS }: FloodOptions,
  closers: (() => Promise<unknown>)[],
  onFigures: (figures: FloodFigures) => void,
): Promise<void> {
  const namespace = await NetworkNamespace.open(0);
  closers.push(() => namespace.close());
  await namespace.ownNetwork(NETWORK);
  // The namespace's kernel would report each port that nobody has.
  await namespace.filter({ output: "meta l4proto icmp drop" });
  const dataFolder = await mkdtemp(join(tmpdir(), "fanfare-srt-flood-"));
  closers.push(() => rm(dataFolder, { recursive: true, force: true }));
  const environment = { FANFARE_SRT_PORT: "0", FANFARE_RTMP_HOST: "::", FANFARE_TARGET_ALLOW: "127.0.0.0/8" };
  const server = await FanfareProcess.start({ dataFolder, credentials: CREDENTIALS, from, environment });
  closers.push(() => server.stop());
  const api = new ApiClient(server.origin, CREDENTIALS, () => undefined);
  const rtmp = new Healthy(`rtmp://127.0.0.1:${server.rtmpPort}/relay`);
  const srt = new Healthy("");
  closers.push(
    () => rtmp.close(),
    () => srt.close(),
  );
  const channels: Channel[] = [];
  const nowhere = Array.from({ length: HOSTILE_ENCODERS }, () => "rtmp://127.0.0.1:9/live");
  for (const url of [await rtmp.targetUrl(), await srt.targetUrl(), ...nowhere])
    channels.push(await api.createChannel(`flood_${channels.length}`, [{ rtmpUrl: url, streamKey: "key" }]));
  rtmp.publish(channels[0]?.streamKey ?? "");
  const port = Number(channels[1]?.srtUrl?.split(":").at(-1));
  const encoder = await publishOverSrt(port, channels[1]?.streamKey ?? "");
  closers.push(() => encoder.stop("SIGKILL", STOP_GRACE_MS));
  for (const healthy of [rtmp, srt]) {
    const isOnAir = async () => ((await healthy.look()).messages > 10 ? true : undefined);
    await waitFor("a healthy channel on air", ON_AIR_DEADLINE_MS, isOnAir, () => encoder.stderr());
  }
  await pass(SETTLE_MS);
  for (const kind of ["none" as const, ...kinds]) {
    await Promise.all([rtmp.look(), srt.look()]);
    const waits = () => [waitedMs(server.pid), waitedMs(encoder.pid)] as const;
    const [before, waitsBefore] = [await namespace.traffic(), waits()];
    const keys = channels.slice(2).map(({ streamKey }) => streamKey);
    const place = [namespace.peerHost, `${port}`];
    const pace = [`${perSecond}`, `${secondsEach}`, NETWORK];
    if (kind === "none") await pass(secondsEach * 1_000);
    else await runHostile(namespace, kind, place, pace, keys);
    await waitFor("the end of the replies", ON_AIR_DEADLINE_MS, () => isQuiet(namespace));
    const [rtmpLook, srtLook, after] = [await rtmp.look(), await srt.look(), await namespace.traffic()];
    if (!encoder.isRunning()) throw new Error(`the SRT encoder ended: ${encoder.stderr()}`);
    onFigures({
      flood: kind,
      ...difference(before, after, secondsEach),
      rtmpGapMs: Math.round(rtmpLook.gapMs),
      srtGapMs: Math.round(srtLook.gapMs),
      waitedMs: Math.round(waits().reduce((sum, now, index) => sum + longestWaitMs(waitsBefore[index], now), 0)),
      residentBytes: residentBytes(server.pid),
    });
  }
}

/** Replies to the flood may still be under way: what waits in the server's socket is read later. */
async function isQuiet(namespace: NetworkNamespace): Promise<true | undefined> {
  const { inBytes } = await namespace.traffic();
  await pass(QUIET_MS);
  return (await namespace.traffic()).inBytes - inBytes < QUIET_BYTES ? true : undefined;
}

function difference(before: Traffic, after: Traffic, seconds: number) {
  return {
    perSecond: Math.round((after.outPackets - before.outPackets) / seconds),
    inBytes: after.outBytes - before.outBytes,
    outBytes: after.inBytes - before.inBytes,
  };
}

/** Video alone: FFmpeg writes audio in packets of 180 ms, which would be the gap at the platform. */
async function publishOverSrt(port: number, streamKey: string): Promise<Child> {
  const clip = await makeClip({ seconds: 10 });
  const input = ["-loglevel", "warning", "-nostdin", "-re", "-stream_loop", "-1", "-i", clip.path, "-map", "0:v"];
  const url = `srt://127.0.0.1:${port}?streamid=publish:${streamKey}&latency=300000`;
  return await startChild("ffmpeg", [...input, "-c", "copy", "-f", "mpegts", url]);
}

async function runHostile(
  { wrapper }: NetworkNamespace,
  kind: Flood,
  place: readonly string[],
  pace: readonly string[],
  keys: readonly string[],
): Promise<void> {
  const isReal = kind === "half-handshakes" || kind === "encoders";
  const program = isReal
    ? [process.execPath, join(SRT_FOLDER, "hostile-callers.ts"), ...place, kind, ...pace, ...keys]
    : ["python3", join(SRT_FOLDER, "spoofer.py"), ...place, kind, ...pace];
  const [command = "", ...args] = [...wrapper, ...program];
  const child = await startChild(command, args);
  const { code } = await child.exited;
  if (code !== 0) throw new Error(`${kind}: ${child.stderr()}`);
}
