import type { ChannelChange } from "../../../src/api-contract/event-words.ts";
import type { ChannelChanged } from "../../../src/control/facts/server-fact.ts";

/** The fact that a use case changed this channel, and which of its targets. */
export function channelChanged(change: ChannelChange, channelId: string, targetId?: number): ChannelChanged {
  return {
    ...{ kind: "channel-changed", change, time: 1, channelId, channelName: "channel001" },
    ...(targetId === undefined ? {} : { target: { targetId, targetName: "CUSTOM" } }),
  };
}
