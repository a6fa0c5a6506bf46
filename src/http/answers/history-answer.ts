import type { HistoryAnswer } from "../../control/history/history-reader.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** What `…/history` returns. */
export function historyAnswer(channelId: ChannelId, { from, to, stepSeconds, ingestRates, targets }: HistoryAnswer) {
  return {
    channelId,
    fromTime: from,
    toTime: to,
    stepSeconds,
    ingest: { bytesPerSecond: ingestRates },
    platforms: targets.map(({ targetId, rates, queueMs, drops, retries }) => ({
      platId: targetId,
      bytesPerSecond: rates,
      queueMilliseconds: queueMs,
      droppedFrames: drops,
      retryCount: retries,
    })),
  };
}
