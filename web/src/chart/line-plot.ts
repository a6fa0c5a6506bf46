import uPlot from "uplot";
import { HISTORY_SECONDS } from "../live/changes.ts";

/** Seconds before now, the newest at the right edge: the same for every line. */
const SECONDS = Array.from({ length: HISTORY_SECONDS }, (_, index) => index + 1 - HISTORY_SECONDS);

/** An axis with its own labels at its own places, or none. */
type LineAxis =
  | { readonly show: false }
  | (Pick<uPlot.Axis, "stroke" | "font" | "size" | "gap" | "grid"> & Required<Pick<uPlot.Axis, "splits" | "values">>);

/** What of a plot is its own: everything else is the same for a small line and the large chart. */
export type PlotLook = {
  /** Below, and at the left. */
  readonly axes: readonly [LineAxis, LineAxis];
  readonly padding: uPlot.Padding;
  /** The upper end of the scale, by the highest value. */
  readonly top: (max: number) => number;
  /** Is told the second that is pointed at, and shown there: 0 is now, the others are below. Without it nobody can point. */
  readonly onPoint?: (second: number | undefined) => void;
};

/** A line that is on the page now. */
export type LinePlot = {
  /** Draws these, the newest last. */
  readonly show: (values: readonly number[]) => void;
  /** Draws the same in the colours of now. */
  readonly repaint: () => void;
  readonly close: () => void;
};

const dataOf = (values: readonly number[]): uPlot.AlignedData => [
  SECONDS,
  [...Array.from({ length: HISTORY_SECONDS - values.length }, () => null), ...values],
];

/**
 * A line over the last minute in an element whose style says how large and in which colours: `stroke` the line, `fill` the area below
 * it. They are read at each painting, so a canvas follows the theme like everything else.
 */
export function openLinePlot(
  place: HTMLElement,
  look: (style: CSSStyleDeclaration) => PlotLook,
  values: readonly number[],
): LinePlot {
  const style = getComputedStyle(place);
  const { axes, padding, top, onPoint } = look(style);
  const size = () => ({ width: place.clientWidth, height: place.clientHeight });
  const plot = new uPlot(
    {
      ...size(),
      padding,
      axes: axes.map((axis) => ({ ...axis, ticks: { show: false } })),
      cursor: { show: onPoint !== undefined, y: false, drag: { x: false, y: false, setScale: false } },
      select: { show: false, left: 0, top: 0, width: 0, height: 0 },
      hooks: { setCursor: [({ cursor: { idx } }) => onPoint?.(typeof idx === "number" ? SECONDS[idx] : undefined)] },
      pxAlign: false,
      legend: { show: false },
      scales: {
        x: { time: false, range: [1 - HISTORY_SECONDS, 0] },
        y: { range: (_plot, _min, max) => [0, top(max ?? 0)] },
      },
      series: [
        {},
        {
          stroke: () => style.stroke,
          fill: () => style.fill,
          width: Number.parseFloat(style.strokeWidth),
          points: { show: false },
        },
      ],
    },
    dataOf(values),
    place,
  );
  const resizing = new ResizeObserver(() => plot.setSize(size()));
  resizing.observe(place);
  return {
    show: (next) => plot.setData(dataOf(next)),
    repaint: () => plot.redraw(false, true),
    close: () => {
      resizing.disconnect();
      plot.destroy();
    },
  };
}
