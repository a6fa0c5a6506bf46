import { type Signal, useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { formatNumber, formatTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import type { Points } from "./last-minute.ts";
import { Line } from "./line.tsx";
import type { PlotLook } from "./line-plot.ts";

const AXIS_FONT = "12px system-ui, sans-serif";
const X_AXIS_PX = 24;
/** The room that a time on the x axis needs. */
const TIME_PX = 84;
/** A time nearer than this to the left edge would touch the y axis. */
const TIME_LEFT_PX = 30;
/** A time nearer than this to the right edge would be cut off: half its width less the padding. */
const TIME_RIGHT_PX = 28;
/** The shortest time that is shown, in seconds: 60 points. */
const SECONDS_MIN = 59;

/** The upper end of an axis that is easy to read: 1, 2, 5 or 10 times a power of ten. */
function axisTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max;
}

/** The index of the point under the pointer. */
type Pointed = Signal<number | undefined>;

function chartLook(pointed: Pointed, topMin: number) {
  return (style: CSSStyleDeclaration): PlotLook => {
    const grid = { stroke: () => style.borderTopColor, width: 1 };
    const axis = { stroke: () => style.color, font: AXIS_FONT };
    return {
      axes: [
        {
          ...axis,
          size: X_AXIS_PX,
          gap: 6,
          grid: { show: false },
          space: TIME_PX,
          values: (plot, splits) =>
            splits.map((second) => {
              const left = plot.valToPos(second, "x");
              const isCut = left < TIME_LEFT_PX || left > plot.over.clientWidth - TIME_RIGHT_PX;
              return isCut ? "" : formatTime(second * 1_000);
            }),
        },
        {
          ...axis,
          grid,
          gap: 6,
          size: (_plot, labels) => 10 + 7 * Math.max(0, ...(labels ?? []).map(({ length }) => length)),
          splits: (_plot, _axis, min, max) => [min, (min + max) / 2, max],
          values: (_plot, splits) => splits.map((value) => formatNumber(value, 1)),
        },
      ],
      padding: [8, 14, 0, 0],
      top: (max) => axisTop(Math.max(topMin, max)),
      onPoint: (index) => {
        pointed.value = index;
      },
    };
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
