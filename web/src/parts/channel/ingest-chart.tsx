import { type Signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { Line } from "../../chart/line.tsx";
import type { PlotLook } from "../../chart/line-plot.ts";
import { rateWords } from "../../chart/rate-line.tsx";
import type { LiveChannel } from "../../live/store.ts";
import { formatNumber, formatRate } from "../../text/format.ts";
import { t } from "../../text/text.ts";

/** The labels of the x axis, in seconds relative to now. */
const SECONDS_LABELLED = [-45, -30, -15, 0];
const AXIS_FONT = "12px system-ui, sans-serif";
const X_AXIS_PX = 22;

/** The upper end of an axis that is easy to read: 1, 2, 5 or 10 times a power of ten. */
function axisTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max;
}

/** The second under the pointer: 0 is now, earlier ones are negative. */
type Pointed = Signal<number | undefined>;

function chartLook(pointed: Pointed) {
  return (style: CSSStyleDeclaration): PlotLook => {
    const grid = { stroke: () => style.borderTopColor, width: 1 };
    const axis = { stroke: () => style.color, font: AXIS_FONT };
    return {
      axes: [
        {
          ...axis,
          size: X_AXIS_PX,
          gap: 4,
          grid: { show: false },
          splits: () => SECONDS_LABELLED,
          values: (_plot, splits) => splits.map((second) => t().units.seconds(formatNumber(second))),
        },
        {
          ...axis,
          grid,
          gap: 6,
          size: (_plot, labels) => 10 + 7 * Math.max(0, ...(labels ?? []).map(({ length }) => length)),
          splits: (_plot, _axis, min, max) => [min, (min + max) / 2, max],
          values: (_plot, splits) => splits.map((value) => formatNumber(value)),
        },
      ],
      padding: [8, 14, 0, 0],
      top: (max) => axisTop(Math.max(100, max)),
      onPoint: (second) => {
        pointed.value = second;
      },
    };
  };
}

/** The ingest bitrate of the last minute in kbit/s, the value under the pointer, and the same in words. */
export function IngestChart({ live }: { readonly live: LiveChannel }) {
  const pointed: Pointed = useSignal<number | undefined>(undefined);
  const look = useMemo(() => chartLook(pointed), [pointed]);
  const rates = live.samples.value.map(({ ingest }) => ingest.bytesPerSecond);
  const kilobits = rates.map((rate) => (rate * 8) / 1_000);
  const second = pointed.value;
  const rate = second === undefined ? undefined : rates.at(second - 1);
  return (
    <figure class="chart">
      <figcaption aria-hidden="true">
        {rate === undefined ? "kbit/s" : `${t().units.seconds(formatNumber(second ?? 0))}: ${formatRate(rate)}`}
      </figcaption>
      <Line values={kilobits} look={look} class="chart-line" label={`${t().encoder.rateLine}: ${rateWords(rates)}`} />
    </figure>
  );
}
