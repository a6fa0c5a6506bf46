import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { fillMinute } from "../live/minute.ts";
import { type LiveChannel, returns } from "../live/store.ts";
import { formatRate } from "../text/format.ts";
import { t } from "../text/text.ts";
import { lastMinute } from "./last-minute.ts";
import { Line } from "./line.tsx";
import type { PlotLook } from "./line-plot.ts";

/** What a line shows, in words. */
export function rateWords(rates: readonly number[]): string {
  const known = rates.length > 0 ? rates : [0];
  return t().encoder.lineText(
    formatRate(known.at(-1) ?? 0),
    formatRate(Math.min(...known)),
    formatRate(Math.max(...known)),
  );
}

type RateLineOptions = {
  readonly live: LiveChannel;
  /** Bytes per second, one value for each second, the newest last. */
  readonly rates: readonly number[];
  readonly label: string;
  readonly tone: string;
};

/** Only the line, with its highest point a little below the upper edge. */
const look = (): PlotLook => ({
  axes: [{ show: false }, { show: false }],
  padding: [1, 0, 1, 0],
  top: (max) => Math.max(1, max) * 1.1,
});

/** A small line of a bitrate over the last minute. The part from before the page was opened is read once the line is in sight. */
export function RateLine({ live, rates, label, tone }: RateLineOptions) {
  const points = useMemo(() => lastMinute(rates), [rates]);
  const isSeen = useSignal(false);
  useEffect(() => {
    if (isSeen.value) fillMinute(live);
  }, [live, isSeen.value, returns.value]);
  return (
    <Line
      points={points}
      look={look}
      class={`rate-line tone-${tone}`}
      label={`${label}: ${rateWords(rates)}`}
      onSeen={() => (isSeen.value = true)}
    />
  );
}
