import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, TargetSample } from "../../thread-protocol/samples.ts";
import type { ServerFact } from "../facts/server-fact.ts";
import { BLOCK_VALUES, type HistoryBlock, type HistoryStep, RATE_UNIT } from "./history.ts";

type Value = {
  readonly time: number;
  readonly ingestRate: number;
  readonly targets: readonly TargetValue[];
};
type TargetValue = {
  readonly targetId: TargetId;
  readonly rate: number;
  readonly queueMs: number;
  readonly drops: number;
  readonly retries: number;
};

/** The counters of a target since its channel came to the media thread. */
type Counters = Pick<TargetSample, "droppedFrames" | "retryCount">;

/** One channel on air. */
type Recording = {
  readonly startTime: number;
  /** The same in monotonic milliseconds: all times of a broadcast follow from these two. */
  readonly startedMs: number;
  seconds: Value[];
  minutes: Value[];
  readonly counters: Map<TargetId, Counters>;
};

/** What is stored. */
export type RecorderOutput = {
  readonly block: (block: HistoryBlock) => void;
  /** The channel's broadcast began: earlier seconds do not belong to the current one. */
  readonly began: (channelId: ChannelId, time: number) => void;
};

/**
 * Makes history blocks out of facts and samples: 60 seconds make one block and one value in a block of 60 minutes,
 * which is reported again with each value. Remembers channels on air, up to 120 values of each.
 */
export class HistoryRecorder {
  readonly #output: RecorderOutput;
  readonly #recordings = new Map<ChannelId, Recording>();

  constructor(output: RecorderOutput) {
    this.#output = output;
  }

  /** `nowMs`: the time of the fact, in monotonic milliseconds. */
  fact(fact: ServerFact, nowMs: number): void {
    if (fact.kind === "ingest-started" && !this.#recordings.has(fact.channelId)) {
      const { channelId, time } = fact;
      const lists = { seconds: [], minutes: [], counters: new Map<TargetId, Counters>() };
      this.#recordings.set(channelId, { startTime: time, startedMs: nowMs, ...lists });
      this.#output.began(channelId, time);
    }
    if (fact.kind === "ingest-ended" && fact.isBroadcastOver) this.#end(fact.channelId);
  }

  samples(samples: readonly ChannelSample[], nowMs: number): void {
    for (const sample of samples) {
      const recording = this.#recordings.get(sample.channelId);
      if (recording === undefined || sample.ingest.state === "ENDED") continue;
      this.#take(sample.channelId, recording, valueFrom(sample, recording, nowMs));
    }
  }

  /** Counters go on from this sample. It is part of the history already. */
  resume({ channelId, targets }: ChannelSample): void {
    const counters = this.#recordings.get(channelId)?.counters;
    for (const { targetId, droppedFrames, retryCount } of targets)
      counters?.set(targetId, { droppedFrames, retryCount });
  }

  /** What is not reported yet of a channel on air. */
  running(channelId: ChannelId, step: HistoryStep): HistoryBlock | undefined {
    const recording = this.#recordings.get(channelId);
    const values = step === "second" ? recording?.seconds : recording?.minutes;
    return values === undefined ? undefined : blockOf(channelId, step, values);
  }

  /** When the broadcast of a channel that is on air began. */
  startOf(channelId: ChannelId): number | undefined {
    return this.#recordings.get(channelId)?.startTime;
  }

  /** Reports everything that was not reported yet: the process stops. */
  flush(): void {
    for (const [channelId, recording] of this.#recordings) this.#closeSeconds(channelId, recording);
  }

  #end(channelId: ChannelId): void {
    const recording = this.#recordings.get(channelId);
    if (recording === undefined) return;
    this.#closeSeconds(channelId, recording);
    this.#recordings.delete(channelId);
  }

  #take(channelId: ChannelId, recording: Recording, value: Value): void {
    // A block has one series for each target, so all its values have the same targets.
    const [first] = recording.seconds;
    if (first !== undefined && !hasSameTargets(first, value)) this.#closeSeconds(channelId, recording);
    recording.seconds.push(value);
    if (recording.seconds.length >= BLOCK_VALUES) this.#closeSeconds(channelId, recording);
  }

  #closeSeconds(channelId: ChannelId, recording: Recording): void {
    const block = blockOf(channelId, "second", recording.seconds);
    if (block === undefined) return;
    this.#output.block(block);
    const minute = summed(recording.seconds);
    recording.seconds = [];
    const [first] = recording.minutes;
    const isOther = first !== undefined && !hasSameTargets(first, minute);
    if (isOther || recording.minutes.length >= BLOCK_VALUES) recording.minutes = [];
    recording.minutes.push(minute);
    const hour = blockOf(channelId, "minute", recording.minutes);
    if (hour !== undefined) this.#output.block(hour);
  }
}

function valueFrom({ ingest, targets }: ChannelSample, recording: Recording, nowMs: number): Value {
  return {
    time: Math.round(recording.startTime + nowMs - recording.startedMs),
    ingestRate: ingest.bytesPerSecond,
    targets: targets.map((target) => {
      const { targetId, bytesPerSecond: rate, queueMs, droppedFrames, retryCount } = target;
      const before = recording.counters.get(targetId) ?? { droppedFrames, retryCount };
      recording.counters.set(targetId, { droppedFrames, retryCount });
      const drops = Math.max(0, droppedFrames - before.droppedFrames);
      return { targetId, rate, queueMs, drops, retries: Math.max(0, retryCount - before.retryCount) };
    }),
  };
}

function hasSameTargets(left: Value, right: Value): boolean {
  if (left.targets.length !== right.targets.length) return false;
  return left.targets.every(({ targetId }, index) => right.targets[index]?.targetId === targetId);
}

/** Combines several seconds into one value: the mean of rates, the longest queue, the sum of counters. */
function summed(values: readonly Value[]): Value {
  const [first] = values;
  const mean = (numbers: readonly number[]) => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  return {
    time: first?.time ?? 0,
    ingestRate: mean(values.map(({ ingestRate }) => ingestRate)),
    targets: (first?.targets ?? []).map(({ targetId }, index) => {
      const all = values.flatMap(({ targets }) => targets[index] ?? []);
      return {
        targetId,
        rate: mean(all.map(({ rate }) => rate)),
        queueMs: Math.max(...all.map(({ queueMs }) => queueMs)),
        drops: all.reduce((sum, { drops }) => sum + drops, 0),
        retries: all.reduce((sum, { retries }) => sum + retries, 0),
      };
    }),
  };
}

function inUnits(rate: number): number {
  return Math.round(rate / RATE_UNIT) * RATE_UNIT;
}

/** Undefined where there is no value. */
function blockOf(channelId: ChannelId, step: HistoryStep, values: readonly Value[]): HistoryBlock | undefined {
  const [first] = values;
  if (first === undefined) return undefined;
  const series = (pick: (target: TargetValue) => number, index: number) =>
    values.map(({ targets }) => {
      const target = targets[index];
      return target === undefined ? 0 : Math.round(pick(target));
    });
  return {
    channelId,
    step,
    times: values.map(({ time }) => time),
    ingestRates: values.map(({ ingestRate }) => inUnits(ingestRate)),
    targets: first.targets.map(({ targetId }, index) => ({
      targetId,
      rates: series(({ rate }) => inUnits(rate), index),
      queueMs: series(({ queueMs }) => queueMs, index),
      drops: series(({ drops }) => drops, index),
      retries: series(({ retries }) => retries, index),
    })),
  };
}
