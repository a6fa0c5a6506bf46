import { HISTORY_SECONDS } from "../live/changes.ts";
import type { Points } from "./last-minute.ts";
import { areaOf, type PlotLabels, paintPlot } from "./paint-plot.ts";
import { highest, nearestIndex, type Range } from "./plot-scale.ts";

/** How small lines and the large chart differ. Everything else is the same. */
export type PlotLook = {
  /** Returns the upper end of the scale for the highest value. */
  readonly top: (max: number) => number;
  /**
   * Absent: the plot is a line of the last minute, without words, and ignores the pointer. With it, x is a time in seconds
   * since 1970: dragging zooms, and a double click shows all again.
   */
  readonly chart?: PlotLabels & {
    /** Receives the index of the point under the pointer. */
    readonly onPoint: (index: number | undefined) => void;
  };
};

/** A shorter drag is a click, in pixels. */
const DRAG_PX_MIN = 5;

/**
 * A line on a canvas that fills `place`. The element's style has the colours: `stroke` for the line, `fill` for the area
 * below it, `color` for words and `border-top-color` for the grid. They are read at each painting, so it follows the theme.
 */
export class LinePlot {
  readonly #place: HTMLElement;
  readonly #look: PlotLook;
  readonly #style: CSSStyleDeclaration;
  readonly #canvas = document.createElement("canvas");
  /** Lies over the line, and takes the pointer. */
  readonly #over = document.createElement("div");
  readonly #resizing = new ResizeObserver(() => this.repaint());
  #points: Points;
  #zoom: Range | undefined;
  #pointed: number | undefined;
  /** The value of x where a drag began, and where it is. */
  #drag: Range | undefined;
  #frame = 0;

  constructor(place: HTMLElement, look: PlotLook, points: Points) {
    this.#place = place;
    this.#look = look;
    this.#style = getComputedStyle(place);
    this.#points = points;
    this.#over.className = "plot-over";
    place.append(this.#canvas, this.#over);
    this.#resizing.observe(place);
    if (look.chart !== undefined) this.#listen();
  }

  /** Draws these points. A zoomed plot stays where it is. */
  show(points: Points): void {
    this.#points = points;
    this.repaint();
  }

  /** Draws the same values in the present size and colours. */
  repaint(): void {
    cancelAnimationFrame(this.#frame);
    this.#frame = requestAnimationFrame(() => this.#paint());
  }

  /** Removes the plot from the page. */
  close(): void {
    cancelAnimationFrame(this.#frame);
    this.#resizing.disconnect();
    this.#canvas.remove();
    this.#over.remove();
  }

  get #range(): Range {
    const { x } = this.#points;
    if (this.#look.chart === undefined) return [1 - HISTORY_SECONDS, 0];
    return this.#zoom ?? [x[0] ?? 0, x.at(-1) ?? 0];
  }

  #listen(): void {
    const over = this.#over;
    over.addEventListener("pointermove", (event) => {
      const x = this.#xAt(event);
      if (this.#drag !== undefined) this.#drag = [this.#drag[0], x];
      this.#point(nearestIndex(this.#points.x, x));
    });
    over.addEventListener("pointerleave", () => this.#point(undefined));
    over.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      over.setPointerCapture(event.pointerId);
      const x = this.#xAt(event);
      this.#drag = [x, x];
    });
    over.addEventListener("pointerup", () => this.#endDrag());
    over.addEventListener("pointercancel", () => {
      this.#drag = undefined;
      this.repaint();
    });
    over.addEventListener("dblclick", () => {
      this.#zoom = undefined;
      this.repaint();
    });
  }

  #endDrag(): void {
    if (this.#drag === undefined) return;
    const [from, to] = this.#range;
    const [left, right] = [Math.min(...this.#drag), Math.max(...this.#drag)];
    this.#drag = undefined;
    if (((right - left) / (to - from)) * this.#over.clientWidth >= DRAG_PX_MIN) this.#zoom = [left, right];
    this.repaint();
  }

  #point(index: number | undefined): void {
    this.#pointed = index;
    this.#look.chart?.onPoint(index);
    this.repaint();
  }

  #xAt({ offsetX }: PointerEvent): number {
    const [from, to] = this.#range;
    return from + (Math.min(Math.max(offsetX, 0), this.#over.clientWidth) / this.#over.clientWidth) * (to - from);
  }

  #paint(): void {
    const { clientWidth: width, clientHeight: height } = this.#place;
    const context = this.#canvas.getContext("2d");
    if (context === null || width === 0 || height === 0) return;
    const range = this.#range;
    const labels = this.#look.chart;
    const top = this.#look.top(highest(this.#points, range));
    const area = areaOf(width, height, top, labels);
    for (const side of ["left", "top", "width", "height"] as const) this.#over.style[side] = `${area[side]}px`;
    // Setting a size clears the canvas.
    this.#canvas.width = Math.round(width * devicePixelRatio);
    this.#canvas.height = Math.round(height * devicePixelRatio);
    context.scale(this.#canvas.width / width, this.#canvas.height / height);
    paintPlot(context, {
      ...{ area, points: this.#points, range, top, labels },
      ...{ pointed: this.#pointed, chosen: this.#drag, style: this.#style },
    });
  }
}
