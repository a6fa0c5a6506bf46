import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";
import { WallSteps } from "../../base/wall-steps.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { RecordingStatus } from "../../thread-protocol/recordings/recordings.ts";
import type { ChannelSample, TargetSample } from "../../thread-protocol/samples.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import type { TargetTotals } from "../channels/channel.ts";
import { movedStatus } from "../facts/present-times.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { ChannelChanged, ServerFact } from "../facts/server-fact.ts";
import type { ChannelLive, TargetLive } from "../ports/runtime.ts";
import type { TotalsBatch } from "../ports/store.ts";
import { HoldLive } from "./hold-live.ts";
import { IngestLive } from "./ingest-live.ts";

/** A sample comes each second. In milliseconds. */
const DELAY_TRUE_MS = 3_000;
const NO_TOTALS: TargetTotals = { bytes: 0, playMs: 0, retryCount: 0 };

type TargetEntry = {
  status: TargetStatus | undefined;
  /** The wall clock when the status was reported. */
  mark: number;
  sample: TargetSample | undefined;
  /** When that sample came, on the monotonic clock, in milliseconds. */
  sampledMs: number;
  /** `playMs` of the last sample before the present broadcast. */
  playMsBefore: number;
  /** Counted but not stored yet. */
  unstored: TargetTotals;
};

type ChannelEntry = {
  /** Set while on air: the monotonic time, in milliseconds, up to which `unstoredPublishMs` counts. */
  countedUpToMs: number | undefined;
  startTime: number | undefined;
  /** The wall clock when the broadcast began. */
  startMark: number;
  isStartStored: boolean;
  /** Milliseconds on air that are counted but not stored yet. */
  unstoredPublishMs: number;
  readonly hold: HoldLive;
  readonly ingest: IngestLive;
  recording: RecordingStatus | undefined;
  readonly targets: Map<TargetId, TargetEntry>;
};

function plus(left: TargetTotals, right: TargetTotals, sign: 1 | -1 = 1): TargetTotals {
  return {
    bytes: left.bytes + sign * right.bytes,
    playMs: left.playMs + sign * right.playMs,
    retryCount: left.retryCount + sign * right.retryCount,
  };
}

function grownTotals(before: TargetSample | undefined, now: TargetSample): TargetTotals {
  return {
    bytes: now.bytesTotal - (before?.bytesTotal ?? 0),
    playMs: now.playMs - (before?.playMs ?? 0),
    retryCount: now.retryCount - (before?.retryCount ?? 0),
  };
}

/** What a channel and its targets did that is not in the store yet. Plain data. */
export type UnstoredTotals = {
  readonly channelId: ChannelId;
  readonly publishMs: number;
  /** When its last broadcast began. */
  readonly startTime?: number;
  readonly targets: readonly (readonly [TargetId, TargetTotals])[];
};

/**
 * The present state of channels, folded from the media threads' facts and samples, and the counters that are not in the
 * store yet. Samples count since the process started (`RunningTotals`), so a channel's last sample is kept until the
 * channel is removed: a few numbers for every channel that was on air since then.
 */
export class LiveState {
  readonly #clock: Clock;
  readonly #steps: WallSteps;
  readonly #channels = new Map<ChannelId, ChannelEntry>();
  /** Checked by `look`; each is one waiting request. */
  readonly #waiting = new Set<() => void>();

  /**
   * A step of the wall clock changes no total. Times of what lasts (since when, until when) follow the present wall
   * clock.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
    this.#steps = new WallSteps(clock);
  }

  fact(fact: ServerFact): void {
    this.#take(fact);
    this.look();
  }

  /** Checks what requests wait for: other nodes told of their channels. */
  look(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves once `isSo` returns true, which is checked after every fact and by `look`, or at the deadline. */
  until(isSo: () => boolean, deadlineMs: number): Promise<void> {
    if (isSo()) return Promise.resolve();
    return new Promise((resolve) => {
      const end = () => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const look = () => {
        if (isSo()) end();
      };
      const timer = startDeadline(this.#clock, deadlineMs, end);
      this.#waiting.add(look);
    });
  }

  #take(fact: ServerFact): void {
    if (fact.kind === "channel-changed") return this.#changed(fact);
    if (!("channelId" in fact)) return;
    // Every broadcast begins with an encoder; other facts of an unknown channel are those of a removed one.
    const isBeginning = fact.kind === "ingest-started";
    const channel = isBeginning ? this.#entry(fact.channelId) : this.#channels.get(fact.channelId);
    if (channel === undefined) return;
    channel.ingest.fact(fact);
    channel.hold.fact(fact);
    switch (fact.kind) {
      case "ingest-started":
        return this.#start(channel, fact.time);
      case "ingest-ended":
        if (fact.isBroadcastOver) this.#end(channel);
        return;
      case "recording-status":
        channel.recording = fact.status;
        return;
      case "target-status":
        return this.#status(channel, fact.targetId, fact.status);
      default:
        // Other facts do not concern a channel's state.
        return;
    }
  }

  /**
   * Goes on with broadcasts that another process of this server began. `onAirMs`: what each target has spent PUBLISHING
   * in its broadcast. `countedUpToMs`: the monotonic time up to which that process has counted their totals. `unstored`: what it
   * has not stored of them.
   */
  resume(
    broadcasts: readonly RunningBroadcast[],
    onAirMs: ReadonlyMap<TargetId, number>,
    countedUpToMs: number,
    unstored: readonly UnstoredTotals[] = [],
  ): void {
    for (const { channelId, facts, sample } of broadcasts) {
      const [first, ...others] = facts;
      if (first === undefined) continue;
      this.#take(first);
      const channel = this.#entry(channelId);
      channel.countedUpToMs = countedUpToMs;
      for (const each of sample?.targets ?? []) {
        const target = this.#target(channel, each.targetId);
        target.sample = each;
        target.playMsBefore = each.playMs - (onAirMs.get(each.targetId) ?? 0);
      }
      for (const fact of others) this.#take(fact);
      if (sample !== undefined) channel.ingest.sample(sample.ingest);
    }
    for (const { channelId, publishMs, startTime, targets } of unstored) {
      const channel = this.#entry(channelId);
      channel.startTime ??= startTime;
      channel.unstoredPublishMs += publishMs;
      for (const [targetId, totals] of targets) {
        const target = this.#target(channel, targetId);
        target.unstored = plus(target.unstored, totals);
      }
    }
  }

  /** Everything that is not in the store yet, for another process of this server. */
  unstoredTotals(): readonly UnstoredTotals[] {
    const all: UnstoredTotals[] = [];
    for (const [channelId, channel] of this.#channels) {
      this.#countUp(channel);
      const { unstoredPublishMs: publishMs, startTime, isStartStored } = channel;
      const targets = [...channel.targets]
        .map(([targetId, { unstored }]) => [targetId, unstored] as const)
        .filter(([, { bytes, playMs, retryCount }]) => bytes + playMs + retryCount > 0);
      const start = startTime === undefined || isStartStored ? {} : { startTime };
      if (publishMs > 0 || targets.length > 0 || "startTime" in start)
        all.push({ channelId, publishMs, ...start, targets });
    }
    return all;
  }

  samples(samples: readonly ChannelSample[]): void {
    for (const { channelId, ingest, targets } of samples) {
      const channel = this.#channels.get(channelId);
      if (channel === undefined) continue;
      channel.ingest.sample(ingest);
      for (const sample of targets) {
        const target = this.#target(channel, sample.targetId);
        target.unstored = plus(target.unstored, grownTotals(target.sample, sample));
        target.sample = sample;
        target.sampledMs = this.#clock.now();
      }
    }
  }

  live(channelId: ChannelId): ChannelLive | undefined {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) return undefined;
    const targets = new Map<TargetId, TargetLive>();
    for (const [targetId, target] of channel.targets) {
      const { status: reported = this.#notDialledYet(channel, target), mark, sample, playMsBefore } = target;
      if (reported === undefined) continue;
      const status = movedStatus(reported, this.#steps.since(mark));
      const counted =
        sample === undefined ? {} : { sample: this.#present(target, sample), onAirMs: sample.playMs - playMsBefore };
      targets.set(targetId, { status, ...counted });
    }
    const { startTime, startMark, recording } = channel;
    const ingest = channel.ingest.latest;
    const isPublishing = channel.countedUpToMs !== undefined;
    const hold = channel.hold.now;
    // After its end the stored time counts.
    const startStepMs = isPublishing ? this.#steps.since(startMark) : 0;
    return {
      isPublishing,
      ...(startTime === undefined ? {} : { startTime: startTime + startStepMs }),
      ...(hold === undefined ? {} : { hold }),
      ...(ingest === undefined ? {} : { ingest }),
      ...(recording === undefined ? {} : { recording }),
      targets,
    };
  }

  /** What each target of a channel has spent PUBLISHING in the present broadcast, in milliseconds. */
  onAirMs(channelId: ChannelId): readonly (readonly [TargetId, number])[] {
    return [...(this.#channels.get(channelId)?.targets ?? [])].map(([targetId, { sample, playMsBefore }]) => {
      return [targetId, (sample?.playMs ?? playMsBefore) - playMsBefore] as const;
    });
  }

  publishingChannels(): readonly ChannelId[] {
    return [...this.#channels].filter(([, { countedUpToMs }]) => countedUpToMs !== undefined).map(([id]) => id);
  }

  /** What a target did that is not in the store yet. */
  unstoredOfTarget(channelId: ChannelId, targetId: TargetId): TargetTotals {
    return this.#channels.get(channelId)?.targets.get(targetId)?.unstored ?? NO_TOTALS;
  }

  /** Milliseconds on air, up to now, that are not in the store yet. */
  unstoredPublishMs(channelId: ChannelId): number {
    const channel = this.#channels.get(channelId);
    if (channel === undefined) return 0;
    this.#countUp(channel);
    return channel.unstoredPublishMs;
  }

  /** Everything that is not in the store yet. Changes nothing, so a failed write is retried as a whole. */
  unstored(): TotalsBatch {
    const channels: TotalsBatch["channels"][number][] = [];
    const targets: TotalsBatch["targets"][number][] = [];
    for (const [channelId, channel] of this.#channels) {
      this.#countUp(channel);
      // Whole milliseconds are stored; the rest waits for the next batch.
      const publishMs = Math.floor(channel.unstoredPublishMs);
      if (channel.startTime !== undefined && !channel.isStartStored) {
        channels.push({ channelId, publishMs, recentPublishStartTime: channel.startTime });
      } else if (publishMs > 0) {
        channels.push({ channelId, publishMs });
      }
      for (const [targetId, { unstored }] of channel.targets) {
        const whole = { ...unstored, playMs: Math.floor(unstored.playMs) };
        if (whole.bytes + whole.playMs + whole.retryCount > 0) targets.push({ targetId, ...whole });
      }
    }
    return { channels, targets };
  }

  /** The batch that `unstored` returned is in the store. */
  markStored(batch: TotalsBatch): void {
    for (const { channelId, publishMs, recentPublishStartTime } of batch.channels) {
      const channel = this.#channels.get(channelId);
      if (channel === undefined) continue;
      channel.unstoredPublishMs -= publishMs;
      if (recentPublishStartTime === channel.startTime) channel.isStartStored = true;
    }
    const stored = new Map(batch.targets.map((target) => [target.targetId, target]));
    for (const channel of this.#channels.values()) {
      for (const [targetId, target] of channel.targets) {
        const totals = stored.get(targetId);
        if (totals !== undefined) target.unstored = plus(target.unstored, totals, -1);
      }
    }
  }

  /** Forgets a channel or a target that was removed. */
  #changed({ change, channelId, target }: ChannelChanged): void {
    if (change === "deleted") this.#channels.delete(channelId);
    if (change === "target-removed" && target !== undefined) {
      this.#channels.get(channelId)?.targets.delete(target.targetId);
    }
  }

  #entry(channelId: ChannelId): ChannelEntry {
    const known = this.#channels.get(channelId);
    if (known !== undefined) return known;
    const entry: ChannelEntry = {
      countedUpToMs: undefined,
      startTime: undefined,
      startMark: 0,
      isStartStored: false,
      unstoredPublishMs: 0,
      hold: new HoldLive(this.#steps),
      ingest: new IngestLive(this.#steps),
      recording: undefined,
      targets: new Map(),
    };
    this.#channels.set(channelId, entry);
    return entry;
  }

  #target(channel: ChannelEntry, targetId: TargetId): TargetEntry {
    const known = channel.targets.get(targetId);
    if (known !== undefined) return known;
    const entry: TargetEntry = {
      status: undefined,
      mark: 0,
      sample: undefined,
      sampledMs: 0,
      playMsBefore: 0,
      unstored: NO_TOTALS,
    };
    channel.targets.set(targetId, entry);
    return entry;
  }

  /** What waited is not true any more where no more samples come: the target has all of it, or its thread died. */
  #present({ sampledMs }: TargetEntry, sample: TargetSample): TargetSample {
    if (sample.delay === undefined || this.#clock.now() - sampledMs < DELAY_TRUE_MS) return sample;
    const { delay: _, ...rest } = sample;
    return rest;
  }

  /** A delayed target is not dialled before its delay is over: it has no status yet. */
  #notDialledYet({ startTime = 0 }: ChannelEntry, { sample }: TargetEntry): TargetStatus | undefined {
    return sample?.delay === undefined ? undefined : { status: "READY", sinceTime: startTime };
  }

  #status(channel: ChannelEntry, targetId: TargetId, status: TargetStatus): void {
    // The last status of a removed target comes after it was forgotten.
    if (status.status === "READY" && !channel.targets.has(targetId)) return;
    const target = this.#target(channel, targetId);
    target.status = status;
    target.mark = this.#steps.mark();
  }

  /** A broadcast that another encoder takes over goes on; it does not begin again. */
  #start(channel: ChannelEntry, time: number): void {
    if (channel.countedUpToMs !== undefined) return;
    channel.countedUpToMs = this.#clock.now();
    channel.startTime = time;
    channel.startMark = this.#steps.mark();
    channel.isStartStored = false;
    for (const target of channel.targets.values()) target.playMsBefore = target.sample?.playMs ?? 0;
  }

  #end(channel: ChannelEntry): void {
    this.#countUp(channel);
    channel.countedUpToMs = undefined;
  }

  #countUp(channel: ChannelEntry): void {
    if (channel.countedUpToMs === undefined) return;
    const nowMs = this.#clock.now();
    channel.unstoredPublishMs += nowMs - channel.countedUpToMs;
    channel.countedUpToMs = nowMs;
  }
}
