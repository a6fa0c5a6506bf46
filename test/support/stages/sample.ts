import type { ChannelSample, TargetSample } from "../../../src/thread-protocol/samples.ts";

/** One target's counters, all 0 except those a test is about. */
export function targetSample(targetId: number, counters: Partial<TargetSample> = {}): TargetSample {
  return {
    targetId,
    bytesPerSecond: 0,
    bytesTotal: 0,
    playMs: 0,
    retryCount: 0,
    droppedFrames: 0,
    drops: { overTime: 0, overBytes: 0, untilKeyframe: 0 },
    queueMs: 0,
    isUnstable: false,
    ...counters,
  };
}

/** One channel's counters around those of its targets. */
export function channelSample(channelId: string, targets: readonly TargetSample[]): ChannelSample {
  return {
    channelId,
    ingest: {
      state: "LIVE",
      slot: "main",
      remoteAddress: "192.0.2.1",
      encoder: "test",
      startTime: 0,
      bytesPerSecond: 0,
      bytesTotal: 0,
    },
    targets,
  };
}
