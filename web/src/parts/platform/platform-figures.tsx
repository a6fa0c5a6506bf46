import type { Platform } from "../../base/model.ts";
import type { LiveChannel } from "../../live/store.ts";
import { dropsText } from "../../text/drops-text.ts";
import { formatBytes, formatClock, formatNumber } from "../../text/format.ts";
import { t } from "../../text/text.ts";

type RowOptions = { readonly live: LiveChannel; readonly platform: Platform };

/** What was sent, for how long, and what was lost. */
export function Figures({ live, platform }: RowOptions) {
  const last = live.samples.value.at(-1)?.platforms.find(({ platId }) => platId === platform.platId);
  const counted = live.counted.value.platforms.find(({ platId }) => platId === platform.platId);
  const sent = Math.max(counted?.bytesTotalTrans ?? 0, platform.bytesTotalTrans);
  const onAirSeconds = counted?.onAirSeconds ?? platform.onAirSeconds ?? 0;
  const isOnAir = platform.connectStatus === "PUBLISHING";
  const queue = last?.queueMilliseconds ?? platform.queueMilliseconds;
  // The newer of the two has the higher count. Its causes belong to it.
  const newest = (last?.droppedFrames ?? 0) > (platform.droppedFrames ?? 0) ? last : platform;
  const drops = newest?.droppedFrames ?? 0;
  return (
    <dl class="figures">
      <Figure name={t().platform.sentInAll} value={formatBytes(sent)} />
      {onAirSeconds > 0 && <Figure name={t().platform.playTime} value={formatClock(onAirSeconds)} />}
      {isOnAir && queue !== undefined && (
        <Figure
          name={t().platform.queue}
          value={t().units.seconds(formatNumber(queue / 1_000, 1))}
          isBad={queue > 2_000}
        />
      )}
      {drops > 0 && <Figure name={t().platform.drops} value={dropsText(drops, newest?.droppedFramesByCause)} isBad />}
      {platform.totalRetryCount > 0 && (
        <Figure name={t().platform.retriesInAll} value={formatNumber(platform.totalRetryCount)} />
      )}
    </dl>
  );
}

type FigureOptions = { readonly name: string; readonly value: string; readonly isBad?: boolean };

function Figure({ name, value, isBad = false }: FigureOptions) {
  return (
    <div class={isBad ? "figure bad" : "figure"}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}
