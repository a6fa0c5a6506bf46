import type { DroppedFrames } from "../../../thread-protocol/samples.ts";

export const NO_DROPS: DroppedFrames = { overTime: 0, overBytes: 0, untilKeyframe: 0 };

export function sumDrops(left: DroppedFrames, right: DroppedFrames): DroppedFrames {
  return {
    overTime: left.overTime + right.overTime,
    overBytes: left.overBytes + right.overBytes,
    untilKeyframe: left.untilKeyframe + right.untilKeyframe,
  };
}

export function sumOfDrops({ overTime, overBytes, untilKeyframe }: DroppedFrames): number {
  return overTime + overBytes + untilKeyframe;
}
