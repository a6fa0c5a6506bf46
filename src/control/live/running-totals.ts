import type { ChannelId, TargetId } from "../../thread-protocol/channel-spec.ts";
import type { ChannelSample, TargetSample } from "../../thread-protocol/samples.ts";

/** The counters of a sample; its other fields are momentary. */
type Counters = Pick<TargetSample, "bytesTotal" | "playMs" | "retryCount" | "droppedFrames" | "drops">;

type Entry = {
  /** Counted in earlier lives of the target. */
  before: Counters | undefined;
  /** The last sample of the present life; undefined before the first. */
  last: Counters | undefined;
};

function plus(left: Counters, right: Counters): Counters {
  return {
    bytesTotal: left.bytesTotal + right.bytesTotal,
    playMs: left.playMs + right.playMs,
    retryCount: left.retryCount + right.retryCount,
    droppedFrames: left.droppedFrames + right.droppedFrames,
    drops: {
      overTime: left.drops.overTime + right.drops.overTime,
      overBytes: left.drops.overBytes + right.drops.overBytes,
      untilKeyframe: left.drops.untilKeyframe + right.drops.untilKeyframe,
    },
  };
}

/** A target that was made anew counts from 0: a counter is then lower than before. */
function wentDown(before: Counters, now: Counters): boolean {
  return now.bytesTotal < before.bytesTotal || now.playMs < before.playMs || now.retryCount < before.retryCount;
}

function endLife(entry: Entry): void {
  if (entry.last === undefined) return;
  entry.before = entry.before === undefined ? entry.last : plus(entry.before, entry.last);
  entry.last = undefined;
}

/**
 * Adds up targets' counters as if one media thread had counted them since the process started. A thread counts a
 * channel's targets from 0 when it was restarted, and when the channel came to it from another thread. Readers of these
 * samples see counters that only rise. Keeps a few numbers for every target that was on air since the process started.
 */
export class RunningTotals {
  readonly #channels = new Map<ChannelId, Map<TargetId, Entry>>();

  samples(samples: readonly ChannelSample[]): readonly ChannelSample[] {
    return samples.map((sample) => {
      const known = this.#channels.get(sample.channelId);
      // A target that is not in the sample was removed.
      const entries = new Map(sample.targets.map(({ targetId }) => [targetId, known?.get(targetId) ?? newEntry()]));
      this.#channels.set(sample.channelId, entries);
      return { ...sample, targets: sample.targets.map((target) => whole(target, entries.get(target.targetId))) };
    });
  }

  /** The counters of these channels, or of all, begin with 0 from now on. */
  startOver(channelIds: Iterable<ChannelId> = this.#channels.keys()): void {
    for (const channelId of channelIds)
      for (const entry of this.#channels.get(channelId)?.values() ?? []) endLife(entry);
  }

  /** The channel was removed. */
  forget(channelId: ChannelId): void {
    this.#channels.delete(channelId);
  }
}

function newEntry(): Entry {
  return { before: undefined, last: undefined };
}

function whole(target: TargetSample, entry: Entry | undefined): TargetSample {
  if (entry === undefined) return target;
  if (entry.last !== undefined && wentDown(entry.last, target)) endLife(entry);
  const { bytesTotal, playMs, retryCount, droppedFrames, drops } = target;
  entry.last = { bytesTotal, playMs, retryCount, droppedFrames, drops };
  return entry.before === undefined ? target : { ...target, ...plus(entry.before, entry.last) };
}
