import type { ChannelId, TargetSpec } from "../thread-protocol/channel-spec.ts";
import type { ConnectStatus } from "../thread-protocol/targets/target-status.ts";
import type { ChannelDeps } from "./channel-deps.ts";
import { Target } from "./subscriber/rtmp-push/target.ts";

/** Makes the targets of one channel, whose changes of status are told as facts. */
export function targetMaker(
  channelId: ChannelId,
  { clock, random, reserveRetryMs, dialer, tell }: ChannelDeps,
): (spec: TargetSpec, onAccepted: (target: Target) => void) => Target {
  const onStatus = ({ targetId, status }: Target, from: ConnectStatus) =>
    tell({ kind: "target-status", time: clock.wallNow(), channelId, targetId, from, status });
  return (spec, onAccepted) => new Target(spec, { clock, random, reserveRetryMs, dialer, onAccepted, onStatus });
}
