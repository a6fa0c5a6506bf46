import { type Signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatNumber, formatTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Points } from "./last-minute.ts";
import { Line } from "./line.tsx";
import type { PlotLook } from "./line-plot.ts";

/** The shortest time that is shown, in seconds: 60 points. */
const SECONDS_MIN = 59;

/** The upper end of an axis that is easy to read: 1, 2, 5 or 10 times a power of ten. */
function axisTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max;
}

/** The index of the point under the pointer. */
type Pointed = Signal<number | undefined>;

function chartLook(pointed: Pointed, topMin: number): PlotLook {
  return {
    top: (max) => axisTop(Math.max(topMin, max)),
    chart: {
      time: (second) => formatTime(second * 1_000),
      value: (value) => formatNumber(value, 1),
      onPoint: (index) => {
        pointed.value = index;
      },
    },
  };
}

/** Returns the points with an empty part on the left where they span less than a minute. */
function atLeastAMinute({ x, y }: Points): Points {
  const [first, last] = [x[0], x.at(-1)];
  if (first === undefined || last === undefined || last - first >= SECONDS_MIN) return { x, y };
  return { x: [last - SECONDS_MIN, ...x], y: [null, ...y] };
}

type ChartOptions = {
  /** x in seconds since 1970 by the server's clock. Another object for each change. */
  readonly points: Points;
  /** What the chart shows while no point is under the pointer. */
  readonly caption: string;
  readonly format: (value: number) => string;
  /** The y axis ends here or higher. */
  readonly topMin: number;
  /** The same in words, for people who cannot see it. */
  readonly label: string;
  readonly hasHelp?: boolean;
};

/** A line over a broadcast that can be zoomed, with the value under the pointer. */
export function TimeChart({ points, caption, format, topMin, label, hasHelp = false }: ChartOptions) {
  const pointed: Pointed = useSignal<number | undefined>(undefined);
  const look = useMemo(() => chartLook(pointed, topMin), [pointed, topMin]);
  const shown = useMemo(() => atLeastAMinute(points), [points]);
  const index = pointed.value ?? -1;
  const [time, value] = [shown.x[index], shown.y[index]];
  const isPointed = time !== undefined && typeof value === "number";
  return (
    <figure class="chart">
      <figcaption aria-hidden="true">
        {isPointed ? `${formatTime(time * 1_000)}: ${format(value)}` : caption}
        {hasHelp && <span class="chart-help">{t().encoder.zoom}</span>}
      </figcaption>
      <Line points={shown} look={look} class="chart-line" label={label} />
    </figure>
  );
}
