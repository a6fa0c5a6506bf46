import type { BroadcastEnd } from "../../api-contract/event-words.ts";
import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, DroppedFrames, TargetSample } from "../../thread-protocol/samples.ts";
import type { TargetStatus } from "../../thread-protocol/targets/target-status.ts";
import { type TargetName, targetNameOf } from "../channels/channel.ts";
import { RefusalList } from "../facts/refusal-list.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { ChannelChanged, ServerFact } from "../facts/server-fact.ts";
import { InterruptionList } from "./interruption-list.ts";
import type { BroadcastReport, TargetReport } from "./reports.ts";

/** Targets in one report: adding and removing targets on air for ever must not fill memory. */
const TARGETS_MAX = 1_000;
/** Rejected encoders in one report, by address and reason. */
const REFUSED_MAX = 20;

/** The counters of a target, all since the process started. */
type Counters = Pick<TargetSample, "bytesTotal" | "playMs" | "retryCount" | "drops">;

const NOTHING: Counters = {
  bytesTotal: 0,
  playMs: 0,
  retryCount: 0,
  drops: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
};

type RefusedFact = Extract<ServerFact, { readonly kind: "ingest-refused" }>;
type StartFact = Extract<ServerFact, { readonly kind: "ingest-started" }>;

type Part = {
  name: TargetName | undefined;
  /** What it did in this broadcast. */
  sum: Counters;
  readonly interruptions: InterruptionList;
};

type OnAir = {
  readonly startTime: number;
  /** The same in monotonic milliseconds: all times of a report follow from these two. */
  readonly startedMs: number;
  /** Whether nothing but the test pattern was on air. */
  isTest: boolean;
  readonly interruptions: InterruptionList;
  readonly parts: Map<TargetId, Part>;
  readonly refused: RefusalList;
};

function plusDrops(sum: DroppedFrames, before: DroppedFrames, now: DroppedFrames): DroppedFrames {
  return {
    overTime: sum.overTime + now.overTime - before.overTime,
    overBytes: sum.overBytes + now.overBytes - before.overBytes,
    untilKeyframe: sum.untilKeyframe + now.untilKeyframe - before.untilKeyframe,
  };
}

function plusCounters(sum: Counters, before: Counters, now: Counters): Counters {
  return {
    bytesTotal: sum.bytesTotal + now.bytesTotal - before.bytesTotal,
    playMs: sum.playMs + now.playMs - before.playMs,
    retryCount: sum.retryCount + now.retryCount - before.retryCount,
    drops: plusDrops(sum.drops, before.drops, now.drops),
  };
}

/**
 * Makes the report of each broadcast out of facts and samples. Counters go on from one broadcast to the next, so a
 * target's last values are kept until it is removed: a few numbers for every target that was on air since the process
 * started.
 */
export class ReportTracker {
  readonly #onAir = new Map<ChannelId, OnAir>();
  readonly #counters = new Map<ChannelId, Map<TargetId, Counters>>();

  /**
   * Returns the finished report where this fact ends a broadcast. `nowMs`: the time of the fact, in monotonic
   * milliseconds.
   */
  fact(fact: ServerFact, nowMs: number): BroadcastReport | undefined {
    if (fact.kind === "channel-changed") this.#changed(fact);
    if (fact.kind === "ingest-started") this.#started(fact, nowMs);
    if (fact.kind === "ingest-refused") this.#refused(fact);
    if (!("channelId" in fact) || fact.channelId === undefined) return undefined;
    const onAir = this.#onAir.get(fact.channelId);
    if (onAir === undefined) return undefined;
    const time = timeIn(onAir, nowMs);
    switch (fact.kind) {
      case "ingest-held":
        onAir.interruptions.begin(time, fact.end);
        return undefined;
      case "publisher-active":
        onAir.interruptions.end(time);
        return undefined;
      case "target-status":
        follow(onAir, fact.targetId, fact.status, time);
        return undefined;
      case "ingest-ended":
        // An encoder took over from the pattern.
        if (fact.end === "test-pattern-over" && !fact.isBroadcastOver) onAir.isTest = false;
        if (!fact.isBroadcastOver) return undefined;
        this.#onAir.delete(fact.channelId);
        return reportOf(fact.channelId, onAir, time, fact.end);
      default:
        // Other facts do not concern a report.
        return undefined;
    }
  }

  samples(samples: readonly ChannelSample[]): void {
    for (const { channelId, targets } of samples) {
      const counters = this.#counters.get(channelId) ?? new Map<TargetId, Counters>();
      this.#counters.set(channelId, counters);
      const onAir = this.#onAir.get(channelId);
      for (const { targetId, bytesTotal, playMs, retryCount, drops } of targets) {
        const now = { bytesTotal, playMs, retryCount, drops };
        const before = counters.get(targetId) ?? NOTHING;
        counters.set(targetId, now);
        // A target that is switched off has counters too: it is in the report once it was dialled.
        const part = onAir?.parts.get(targetId);
        if (part !== undefined) part.sum = plusCounters(part.sum, before, now);
      }
    }
  }

  /**
   * Goes on with a broadcast whose report another process of this server has made up to now. `startedMs`: when it began,
   * in monotonic milliseconds.
   */
  resume(report: BroadcastReport, { facts, sample }: RunningBroadcast, startedMs: number): void {
    const parts = new Map<TargetId, Part>();
    for (const { targetId, targetName, label, ...counted } of report.targets) {
      const settled = facts.findLast(
        (fact) => fact.kind === "target-status" && fact.targetId === targetId && fact.status.status !== "CONNECTING",
      );
      const isOut = settled?.kind === "target-status" && settled.status.status === "FAIL";
      const name = targetName === undefined ? undefined : { targetName, ...(label === undefined ? {} : { label }) };
      const { bytes: bytesTotal, onAirMs: playMs, retryCount, drops } = counted;
      const interruptions = InterruptionList.resume(counted.interruptions, isOut);
      parts.set(targetId, { name, sum: { bytesTotal, playMs, retryCount, drops }, interruptions });
    }
    const isHeld = facts.some(({ kind }) => kind === "ingest-held");
    this.#onAir.set(report.channelId, {
      ...{ startTime: report.startTime, startedMs, isTest: report.isTest === true, parts },
      interruptions: InterruptionList.resume(report.interruptions, isHeld),
      refused: new RefusalList(REFUSED_MAX, report.refused),
    });
    const counters = (sample?.targets ?? []).map(({ targetId, bytesTotal, playMs, retryCount, drops }) => {
      return [targetId, { bytesTotal, playMs, retryCount, drops }] as const;
    });
    this.#counters.set(report.channelId, new Map(counters));
  }

  /** The reports of running broadcasts as they are now. */
  running(nowMs: number): readonly BroadcastReport[] {
    return [...this.#onAir].map(([channelId, onAir]) => reportOf(channelId, onAir, timeIn(onAir, nowMs)));
  }

  /** Channels on air with a target whose name is not known yet. */
  nameless(): readonly ChannelId[] {
    const isNameless = ({ parts }: OnAir) => [...parts.values()].some(({ name }) => name === undefined);
    return [...this.#onAir].filter(([, onAir]) => isNameless(onAir)).map(([channelId]) => channelId);
  }

  name(channelId: ChannelId, targetId: TargetId, name: TargetName): void {
    const part = this.#onAir.get(channelId)?.parts.get(targetId);
    if (part !== undefined) part.name ??= name;
  }

  /** What a removed target did in the running broadcast stays in its report. */
  #changed({ change, channelId, target }: ChannelChanged): void {
    if (change === "deleted") this.#counters.delete(channelId);
    if (change !== "target-removed" || target === undefined) return;
    this.name(channelId, target.targetId, targetNameOf(target));
    this.#counters.get(channelId)?.delete(target.targetId);
  }

  #started({ channelId, time, testPatternEndTime }: StartFact, nowMs: number): void {
    // A takeover, a return or a standby does not begin a broadcast.
    if (this.#onAir.has(channelId)) return;
    const interruptions = new InterruptionList();
    const isTest = testPatternEndTime !== undefined;
    const refused = new RefusalList(REFUSED_MAX);
    this.#onAir.set(channelId, { startTime: time, startedMs: nowMs, isTest, interruptions, parts: new Map(), refused });
  }

  /** A key of no channel may have been meant for any of those on air. */
  #refused(fact: RefusedFact): void {
    const own = fact.channelId === undefined ? undefined : this.#onAir.get(fact.channelId);
    if (own !== undefined) own.refused.add(fact);
    if (fact.channelId === undefined) for (const { refused } of this.#onAir.values()) refused.add(fact);
  }
}

/** By the clock of the broadcast's beginning, whatever it was set to since. */
function timeIn({ startTime, startedMs }: OnAir, nowMs: number): number {
  return Math.round(startTime + nowMs - startedMs);
}

function follow({ parts }: OnAir, targetId: TargetId, now: TargetStatus, time: number): void {
  const known = parts.get(targetId);
  if (known === undefined && (now.status === "READY" || parts.size >= TARGETS_MAX)) return;
  const part = known ?? { name: undefined, sum: NOTHING, interruptions: new InterruptionList() };
  parts.set(targetId, part);
  switch (now.status) {
    case "FAIL":
      if (now.lastError !== undefined) part.interruptions.begin(time, now.lastError.code);
      return;
    case "PUBLISHING":
    case "READY":
      return part.interruptions.end(time);
    case "CONNECTING":
      // An attempt changes nothing: media flows again with PUBLISHING.
      return;
  }
}

function reportOf(channelId: ChannelId, onAir: OnAir, endTime: number, end?: BroadcastEnd): BroadcastReport {
  const refused = onAir.refused.list();
  return {
    channelId,
    startTime: onAir.startTime,
    endTime,
    ...(end === undefined ? {} : { end }),
    ...(onAir.isTest ? { isTest: true } : {}),
    interruptions: onAir.interruptions.at(endTime),
    targets: [...onAir.parts].map(([targetId, part]) => targetReportOf(targetId, part, endTime)),
    ...(refused.length === 0 ? {} : { refused }),
  };
}

function targetReportOf(targetId: TargetId, { name, sum, interruptions }: Part, time: number): TargetReport {
  return {
    targetId,
    ...name,
    onAirMs: sum.playMs,
    bytes: sum.bytesTotal,
    retryCount: sum.retryCount,
    drops: sum.drops,
    interruptions: interruptions.at(time),
  };
}
