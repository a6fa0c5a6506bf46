import type { LiveState } from "../../../control/live/live-state.ts";
import type { ChannelLive } from "../../../control/ports/runtime.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";
import type { Fact } from "../../../thread-protocol/facts.ts";

/**
 * What is true of channels whose thread died: their broadcasts are over, and what still went out to delayed targets is lost.
 * `time`: milliseconds since the Unix epoch.
 */
export function* lostFacts(channelIds: readonly ChannelId[], view: Pick<LiveState, "live">, time: number) {
  for (const channelId of channelIds) {
    const live = view.live(channelId);
    if (live !== undefined) yield* factsOf(channelId, live, time);
  }
}

function factsOf(channelId: ChannelId, live: ChannelLive, time: number): readonly Fact[] {
  const { isPublishing, targets, recording } = live;
  const ready = { status: "READY", sinceTime: time } as const;
  const left = [...targets].filter(([, { status }]) => isPublishing || status.status !== "READY");
  const facts: Fact[] = left.map(([targetId, { status }]) => {
    return { kind: "target-status", time, channelId, targetId, from: status.status, status: ready };
  });
  if (!isPublishing) return facts;
  if (recording?.status === "RECORDING" || recording?.status === "FAIL")
    facts.push({ kind: "recording-status", time, channelId, status: { status: "READY" } });
  const lost = { ingestId: 0, slot: "main", end: "connection-lost", isBroadcastOver: true } as const;
  facts.push({ kind: "ingest-ended", time, channelId, ...lost });
  return facts;
}
