import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { ChannelDeps } from "./channel-deps.ts";
import { ChannelTargets, type TargetStream } from "./subscriber/rtmp-push/channel-targets.ts";

/** Makes the targets of one channel. Each change of status becomes a fact. */
export function targetsOf(channelId: ChannelId, deps: ChannelDeps, stream: () => TargetStream): ChannelTargets {
  const { clock, random, reserveRetryMs, memory, dialer, shelves, delayMemory, onFault, onFact } = deps;
  return new ChannelTargets({
    ...{ clock, random, reserveRetryMs, memory, shelves, delayMemory, onFault, stream },
    dialer: { dial: (target, events) => dialer.dial(target, events, channelId) },
    onStatus: ({ targetId, status }, from) =>
      onFact({ kind: "target-status", time: clock.wallNow(), channelId, targetId, from, status }),
  });
}
