import uPlot from "uplot";
import { HISTORY_SECONDS } from "../live/changes.ts";

/** The x values of every line: seconds relative to now, the newest at the right edge. */
const SECONDS = Array.from({ length: HISTORY_SECONDS }, (_, index) => index + 1 - HISTORY_SECONDS);

/** An axis with its own labels at its own places, or none. */
type LineAxis =
  | { readonly show: false }
  | (Pick<uPlot.Axis, "stroke" | "font" | "size" | "gap" | "grid"> & Required<Pick<uPlot.Axis, "splits" | "values">>);

/** How small lines and the large chart differ. Everything else is the same. */
export type PlotLook = {
  /** The lower axis, and the left one. */
  readonly axes: readonly [LineAxis, LineAxis];
  readonly padding: uPlot.Padding;
  /** Returns the upper end of the scale for the highest value. */
  readonly top: (max: number) => number;
  /** Receives the second under the pointer: 0 is now, earlier ones are negative. Without it the plot ignores the pointer. */
  readonly onPoint?: (second: number | undefined) => void;
};

/** A plot that is on the page. */
export type LinePlot = {
  /** Draws these values, the newest last. */
  readonly show: (values: readonly number[]) => void;
  /** Draws the same values in the current colours. */
  readonly repaint: () => void;
  readonly close: () => void;
};

const dataOf = (values: readonly number[]): uPlot.AlignedData => [
  SECONDS,
  [...Array.from({ length: HISTORY_SECONDS - values.length }, () => null), ...values],
];

/**
 * Draws a line of the last minute into `place`. The element's style gives the size and the colours: `stroke` for the line, `fill` for
 * the area below it. They are read at each painting, so the canvas follows the theme.
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
