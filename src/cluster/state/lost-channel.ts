import type { ChannelLive, TargetLive } from "../../control/ports/runtime.ts";
import { targetError } from "../../thread-protocol/targets/target-errors.ts";

/** A channel whose node is lost: it is off air, and the targets that were on air say why. */
export function asLost({ targets, isPublishing, ingest, startTime }: ChannelLive): ChannelLive {
  return {
    isPublishing: false,
    ...(startTime === undefined ? {} : { startTime }),
    ...(ingest === undefined ? {} : { ingest: { ...ingest, state: "ENDED", bytesPerSecond: 0 } }),
    targets: new Map([...targets].map(([targetId, target]) => [targetId, isPublishing ? lostTarget(target) : target])),
  };
}

function lostTarget({ status: { status, sinceTime }, ...counted }: TargetLive): TargetLive {
  if (status === "READY") return { ...counted, status: { status, sinceTime } };
  return {
    ...counted,
    status: { status: "READY", sinceTime, lastError: { ...targetError("node-lost"), time: sinceTime } },
  };
}
