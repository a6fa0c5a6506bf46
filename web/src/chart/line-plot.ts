import uPlot from "uplot";
import { HISTORY_SECONDS } from "../live/changes.ts";
import type { Points } from "./last-minute.ts";

/** An axis with its own labels at its own places, or none. */
type LineAxis =
  | { readonly show: false }
  | (Pick<uPlot.Axis, "stroke" | "font" | "size" | "gap" | "grid" | "space" | "splits"> &
      Required<Pick<uPlot.Axis, "values">>);

/** How small lines and the large chart differ. Everything else is the same. */
export type PlotLook = {
  /** The lower axis, and the left one. */
  readonly axes: readonly [LineAxis, LineAxis];
  readonly padding: uPlot.Padding;
  /** Returns the upper end of the scale for the highest value. */
  readonly top: (max: number) => number;
  /**
   * Receives the index of the point under the pointer. With it, x is a time in seconds since 1970: dragging zooms, and a double click
   * shows all again. Without it the plot shows the last minute and ignores the pointer.
   */
  readonly onPoint?: (index: number | undefined) => void;
};

/** A plot that is on the page. */
export type LinePlot = {
  /** Draws these points. A zoomed plot stays where it is. */
  readonly show: (points: Points) => void;
  /** Draws the same values in the current colours. */
  readonly repaint: () => void;
  readonly close: () => void;
};

const dataOf = ({ x, y }: Points): uPlot.AlignedData => [[...x], [...y]];

/**
 * Draws a line into `place`. The element's style gives the size and the colours: `stroke` for the line, `fill` for
 * the area below it. They are read at each painting, so the canvas follows the theme.
 */
export function openLinePlot(
  place: HTMLElement,
  look: (style: CSSStyleDeclaration) => PlotLook,
  points: Points,
): LinePlot {
  const style = getComputedStyle(place);
  const { axes, padding, top, onPoint } = look(style);
  const canZoom = onPoint !== undefined;
  let isZoomed = false;
  const size = () => ({ width: place.clientWidth, height: place.clientHeight });
  const plot = new uPlot(
    {
      ...size(),
      padding,
      axes: axes.map((axis) => ({ ...axis, ticks: { show: false } })),
      cursor: { show: canZoom, y: false, drag: { x: canZoom, y: false, setScale: canZoom } },
      select: { show: canZoom, left: 0, top: 0, width: 0, height: 0 },
      hooks: {
        setCursor: [({ cursor: { idx } }) => onPoint?.(idx ?? undefined)],
        setSelect: [
          ({ select }) => {
            if (select.width > 0) isZoomed = true;
          },
        ],
        ready: [
          ({ over }) =>
            over.addEventListener("dblclick", () => {
              isZoomed = false;
            }),
        ],
      },
      pxAlign: false,
      legend: { show: false },
      scales: {
        x: canZoom ? { time: true } : { time: false, range: [1 - HISTORY_SECONDS, 0] },
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
    dataOf(points),
    place,
  );
  const resizing = new ResizeObserver(() => plot.setSize(size()));
  resizing.observe(place);
  return {
    show: (next) => {
      plot.setData(dataOf(next), !isZoomed);
      if (isZoomed) plot.redraw();
    },
    repaint: () => plot.redraw(false, true),
    close: () => {
      resizing.disconnect();
      plot.destroy();
    },
  };
}
