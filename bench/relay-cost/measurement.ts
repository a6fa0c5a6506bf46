import { setTimeout as delay } from "node:timers/promises";
import { type LoadConditions, type Scenario, startLoad } from "./load.ts";
import type { Relay } from "./relay.ts";
import { CPU_RESOLUTION_SECONDS, cpuSeconds, residentMb } from "./usage.ts";

const GB = 1e9;
const NATIVE_SETTLE_SECONDS = 4;

export type Conditions = LoadConditions & {
  /** How long the relay runs before it is measured, and how long the measurement lasts. */
  readonly settleSeconds: number;
  readonly windowSeconds: number;
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
  /** Frames of the checked connections, since they began. */
  readonly wholeFrames: number;
  readonly wrongFrames: number;
  readonly missingFrames: number;
};

/** Runs the relay for one window, alone with its encoders and the sink. */
export async function measure(relay: Relay, scenario: Scenario, conditions: Conditions): Promise<Measurement> {
  const { settleSeconds, windowSeconds } = conditions;
  const outputs = scenario.channelCount * scenario.fanOut;
  const { pids, sink, encoders, close } = await startLoad(relay, scenario, conditions);
  try {
    await delay((relay.isNative ? Math.min(settleSeconds, NATIVE_SETTLE_SECONDS) : settleSeconds) * 1_000);
    await sink.reset();
    const [before, cpuBefore] = [await sink.stats(), await cpuSeconds(pids)];
    await delay(windowSeconds * 1_000);
    const [after, cpuAfter] = [await sink.stats(), await cpuSeconds(pids)];
    const memoryMb = await residentMb(pids);
    encoders.expectWell();
    if (after.publishing !== outputs) throw new Error(`${relay.name} lost targets`);
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
    await close();
  }
}
