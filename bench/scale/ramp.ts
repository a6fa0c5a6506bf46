import { readFile } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { waitFor } from "../../test/support/processes/waiting.ts";
import type { Clip } from "../../test/support/streams/clip.ts";
import { Encoders } from "../relay-cost/encoders.ts";
import type { Relay, RunningRelay, Task } from "../relay-cost/relay.ts";
import { Sink, type SinkStats } from "../relay-cost/sink.ts";
import { cpuSeconds } from "../relay-cost/usage.ts";
import { type ServerFigures, serverFigures } from "./server-figures.ts";

const WATCHED_MAX = 20;
const CONNECT_DEADLINE_MS = 20_000;
/** With fewer of the bytes that were due the server is behind: a window ends between two keyframes. */
const DELIVERED_MIN = 0.97;

/** One window of the ramp. */
export type RampStep = {
  readonly channels: number;
  readonly outputs: number;
  readonly bytesPerSecond: number;
  readonly deliveredShare: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** The share of its time in which each media thread was busy. */
  readonly loads: readonly number[];
  readonly relayCores: number;
  readonly machineBusyShare: number;
  /** What was lost in this window, in words; empty: nothing. */
  readonly losses: readonly string[];
  /** What the server says about it. */
  readonly says: readonly string[];
};

/** A server whose channels go on air step by step. */
export class Ramp {
  readonly #running: RunningRelay;
  readonly #sink: Sink;
  readonly #task: Task;
  readonly #clip: Clip;
  readonly #encoders: Encoders[] = [];
  /** Channels whose encoders were started. */
  #begun = 0;
  /** Encoders that ended, with the reason. */
  readonly #ended: string[] = [];

  private constructor(running: RunningRelay, sink: Sink, task: Task, clip: Clip) {
    this.#running = running;
    this.#sink = sink;
    this.#task = task;
    this.#clip = clip;
  }

  /** Starts the server with all channels off air. */
  static async start(relay: Relay, task: Task, clip: Clip): Promise<Ramp> {
    const place = task.sink;
    const sink = await Sink.start({ program: task.tools.sink, place, clip: clip.path, watchedMax: WATCHED_MAX });
    try {
      return new Ramp(await relay.start(task), sink, task, clip);
    } catch (error) {
      await sink.stop();
      throw error;
    }
  }

  /** Puts so many more channels on air, waits, and measures one window. */
  async step(channels: number, settleSeconds: number, windowSeconds: number): Promise<RampStep> {
    const refusal = await this.#add(channels);
    await delay(settleSeconds * 1_000);
    const pids = await this.#running.pids();
    await this.#sink.reset();
    const before = { sink: await this.#sink.stats(), cpu: await cpuSeconds(pids), machine: await machineTimes() };
    const figuresBefore = await serverFigures(this.#running.origin);
    await delay(windowSeconds * 1_000);
    const after = { sink: await this.#sink.stats(), cpu: await cpuSeconds(pids), machine: await machineTimes() };
    const figures = await serverFigures(this.#running.origin);
    const seconds = (after.sink.atUs - before.sink.atUs) / 1e6;
    const outputs = this.#begun * this.#task.fanOut;
    const bytesPerSecond = (after.sink.bytes - before.sink.bytes) / seconds;
    const deliveredShare = bytesPerSecond / (this.#clip.bytesPerSecond * outputs);
    return {
      ...{ channels: this.#begun, outputs, bytesPerSecond, deliveredShare },
      p50Ms: after.sink.p50Ms,
      p99Ms: after.sink.p99Ms,
      loads: figures.loads,
      relayCores: (after.cpu - before.cpu) / seconds,
      machineBusyShare: busyShare(before.machine, after.machine),
      losses: [
        ...(refusal === undefined ? [] : [refusal]),
        ...this.#lost(before.sink, after.sink, outputs, deliveredShare),
        ...droppedWords(figuresBefore, figures),
      ],
      says: figures.says,
    };
  }

  async close(): Promise<void> {
    for (const encoders of this.#encoders) await encoders.stop();
    await this.#running.stop();
    await this.#sink.stop();
  }

  /** Returns why the encoders were not taken, in words. */
  async #add(channels: number): Promise<string | undefined> {
    const ingests = this.#running.ingests.slice(this.#begun, this.#begun + channels);
    const { encoder } = this.#task.tools;
    const { accepted } = await this.#sink.stats();
    try {
      const options = { program: encoder, clip: this.#clip.path, speed: 1, rounds: undefined, ingests };
      this.#encoders.push(await Encoders.start(options));
      this.#begun += ingests.length;
    } catch (error) {
      return `${channels} encoders refused: ${firstLine(error)}`;
    }
    const wanted = accepted + ingests.length * this.#task.fanOut;
    try {
      await waitFor("the targets of this step to be fed", CONNECT_DEADLINE_MS, async () =>
        (await this.#sink.stats()).accepted >= wanted ? true : undefined,
      );
      return undefined;
    } catch {
      return `${wanted - (await this.#sink.stats()).accepted} targets not fed within ${CONNECT_DEADLINE_MS / 1_000} s`;
    }
  }

  #lost(before: SinkStats, after: SinkStats, outputs: number, deliveredShare: number): string[] {
    for (const encoders of this.#encoders.splice(0)) {
      try {
        encoders.expectWell();
        this.#encoders.push(encoders);
      } catch (error) {
        this.#ended.push(firstLine(error));
      }
    }
    const missing = after.missing - before.missing;
    const wrong = after.wrong - before.wrong;
    return [
      ...(deliveredShare < DELIVERED_MIN ? ["behind"] : []),
      ...(after.publishing < outputs ? [`${outputs - after.publishing} targets gone`] : []),
      ...(missing === 0 ? [] : [`${missing} frames missing on ${WATCHED_MAX} connections`]),
      ...(wrong === 0 ? [] : [`${wrong} frames amiss on ${WATCHED_MAX} connections`]),
      ...this.#ended.splice(0),
    ];
  }
}

/** How many frames were dropped within a window, why, and of how many channels: those before a step, or those that it brought. */
function droppedWords(before: ServerFigures, after: ServerFigures): string[] {
  const byReason = new Map<string, number>();
  const channels = new Set<string>();
  for (const [channel, drops] of after.drops) {
    for (const [reason, frames] of Object.entries(drops)) {
      const more = frames - (before.drops.get(channel)?.[reason] ?? 0);
      if (more <= 0) continue;
      byReason.set(reason, (byReason.get(reason) ?? 0) + more);
      channels.add(channel);
    }
  }
  if (byReason.size === 0) return [];
  const reasons = [...byReason].map(([reason, frames]) => `${frames} ${reason}`).join(", ");
  return [`frames dropped for slow targets of ${channels.size} channels: ${reasons}`];
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split("\n")[0]?.trim() ?? "";
}

type MachineTimes = { readonly idle: number; readonly all: number };

/** proc(5): user, nice, system, idle, iowait, irq, softirq, steal. */
async function machineTimes(): Promise<MachineTimes> {
  const [line = ""] = (await readFile("/proc/stat", "utf8")).split("\n");
  const times = line.trim().split(/\s+/).slice(1, 9).map(Number);
  return { idle: (times[3] ?? 0) + (times[4] ?? 0), all: times.reduce((sum, each) => sum + each, 0) };
}

function busyShare(before: MachineTimes, after: MachineTimes): number {
  return 1 - (after.idle - before.idle) / (after.all - before.all);
}
