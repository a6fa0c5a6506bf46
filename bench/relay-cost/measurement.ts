import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { startChild } from "../../test/support/children.ts";
import { freePort } from "../../test/support/free-port.ts";
import { waitFor } from "../../test/support/waiting.ts";
import type { NativeTools } from "./native-tools.ts";
import type { Ingest, Relay } from "./relay.ts";
import { Sink } from "./sink.ts";
import { CPU_RESOLUTION_SECONDS, cpuSeconds, pinTo, residentMb } from "./usage.ts";

const CONNECT_DEADLINE_MS = 60_000;
const STOP_GRACE_MS = 3_000;
/** Connections whose frames are looked at. */
const WATCHED_MAX = 20;
const GB = 1e9;

/** What one relay is measured with. */
export type Scenario = {
  readonly fanOut: number;
  readonly channelCount: number;
  readonly isTls: boolean;
  /** How many times real time the encoders send. */
  readonly speed: number;
};

export type Conditions = {
  readonly tools: NativeTools;
  readonly clip: string;
  /** What the sink compares with, where that is not the clip: a test of the sink. */
  readonly comparedWith?: string;
  /** How long the relay runs before it is measured, and how long it is. */
  readonly settleSeconds: number;
  readonly windowSeconds: number;
  /** Cores: the relay has one, encoders and sink the other. Absent: the machine has but one. */
  readonly cores: { readonly relay: number; readonly load: number } | undefined;
  readonly tls: { readonly certificate: string; readonly key: string; readonly authority: string } | undefined;
};

/** One window of one relay. */
export type Measurement = {
  readonly cpuSecondsPerGb: number;
  readonly cpuShare: number;
  readonly bytesPerSecond: number;
  readonly memoryMb: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** Frames of the connections that were looked into, since they began. */
  readonly wholeFrames: number;
  readonly wrongFrames: number;
  readonly missingFrames: number;
};

async function startEncoders(conditions: Conditions, ingests: readonly Ingest[], speed: number) {
  const encoder = await startChild(conditions.tools.encoder, [conditions.clip, String(speed)], { isFed: true });
  // The blank line ends the list.
  encoder.write(`${ingests.map(({ port, app, key }) => `${port} ${app} ${key}\n`).join("")}\n`);
  const state = () => `${encoder.stdout()}${encoder.stderr()}`;
  await waitFor("the encoders to publish", CONNECT_DEADLINE_MS, () => {
    if (!encoder.isRunning()) throw new Error(`the encoders ended: ${state()}`);
    return encoder.stdout().includes("ready") ? true : undefined;
  });
  return encoder;
}

/** Runs the relay for one window, alone with its encoders and the sink. */
export async function measure(relay: Relay, scenario: Scenario, conditions: Conditions): Promise<Measurement> {
  const { tools, clip, comparedWith = clip, settleSeconds, windowSeconds, cores, tls } = conditions;
  const { fanOut, channelCount, isTls, speed } = scenario;
  const folder = await mkdtemp(join(tmpdir(), "fanfare-bench-"));
  const closers: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const sinkPort = await freePort();
    const secure = isTls && tls !== undefined ? { tls } : {};
    const sink = await Sink.start({
      program: tools.sink,
      port: sinkPort,
      clip: comparedWith,
      watchedMax: WATCHED_MAX,
      ...secure,
    });
    closers.push(() => sink.stop());
    const authority = isTls ? tls?.authority : undefined;
    const running = await relay.start({ channelCount, fanOut, sinkPort, isTls, folder, tools, authority });
    closers.push(() => running.stop());
    const pids = await running.pids();
    if (cores !== undefined) for (const pid of pids) await pinTo(cores.relay, pid);
    if (cores !== undefined) await pinTo(cores.load, sink.pid);
    const encoder = await startEncoders(conditions, running.ingests, speed);
    closers.push(() => encoder.stop("SIGTERM", STOP_GRACE_MS));
    if (cores !== undefined) await pinTo(cores.load, encoder.pid);
    await waitFor(`${channelCount * fanOut} targets to be fed by ${relay.name}`, CONNECT_DEADLINE_MS, async () => {
      if (!encoder.isRunning()) throw new Error(`the encoders ended: ${encoder.stderr()}`);
      const { publishing } = await sink.stats();
      return publishing === channelCount * fanOut ? true : undefined;
    });
    await delay(settleSeconds * 1_000);
    await sink.reset();
    const [before, cpuBefore] = [await sink.stats(), await cpuSeconds(pids)];
    await delay(windowSeconds * 1_000);
    const [after, cpuAfter] = [await sink.stats(), await cpuSeconds(pids)];
    const memoryMb = await residentMb(pids);
    if (!encoder.isRunning()) throw new Error(`the encoders ended: ${encoder.stderr()}`);
    if (after.publishing !== channelCount * fanOut) throw new Error(`${relay.name} lost targets`);
    const bytes = after.bytes - before.bytes;
    const seconds = (after.atUs - before.atUs) / 1e6;
    const cpu = Math.max(cpuAfter - cpuBefore, CPU_RESOLUTION_SECONDS);
    const { p50Ms, p99Ms, maxMs, whole, wrong, missing } = after;
    return {
      cpuSecondsPerGb: cpu / (bytes / GB),
      cpuShare: cpu / seconds,
      bytesPerSecond: bytes / seconds,
      memoryMb,
      ...{ p50Ms, p99Ms, maxMs },
      ...{ wholeFrames: whole, wrongFrames: wrong, missingFrames: missing },
    };
  } finally {
    for (const close of closers.reverse()) await close();
  }
}
