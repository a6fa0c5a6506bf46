import type { Points } from "./last-minute.ts";
import { labelTimes, type Range } from "./plot-scale.ts";

/** A rectangle, in pixels of the page. */
type Area = { readonly left: number; readonly top: number; readonly width: number; readonly height: number };

/** The words at the axes. */
export type PlotLabels = {
  /** `second`: since 1970. */
  readonly time: (second: number) => string;
  readonly value: (value: number) => string;
};

type Painting = {
  readonly area: Area;
  readonly points: Points;
  readonly range: Range;
  /** The upper end of the scale; the lower one is 0. */
  readonly top: number;
  /** Absent: only the line. */
  readonly labels: PlotLabels | undefined;
  /** The index of the point under the pointer. */
  readonly pointed: number | undefined;
  /** What a drag has chosen so far. */
  readonly chosen: Range | undefined;
  readonly style: CSSStyleDeclaration;
};

const FONT = "12px system-ui, sans-serif";
const GAP_PX = 6;
/** The line of times below the plot. */
const TIMES_PX = 24;
/** The room that a time needs. */
const TIME_PX = 84;
/** A time nearer than this to an edge would touch the values, or be cut off. */
const TIME_LEFT_PX = 30;
const TIME_RIGHT_PX = 28;
const CHARACTER_PX = 7;
const EDGE_PX = 14;
/** So that the uppermost value is not cut off. */
const VALUE_TOP_PX = 8;
const DOT_PX = 4;

const valuesOf = (top: number): readonly number[] => [0, top / 2, top];

/** Returns where the line is: in a plot with words, the rest of the room. */
export function areaOf(width: number, height: number, top: number, labels: PlotLabels | undefined): Area {
  if (labels === undefined) return { left: 0, top: 1, width, height: height - 2 };
  const characters = Math.max(...valuesOf(top).map((value) => labels.value(value).length));
  const left = 10 + CHARACTER_PX * characters;
  return { left, top: VALUE_TOP_PX, width: width - left - EDGE_PX, height: height - VALUE_TOP_PX - TIMES_PX };
}

/** Paints a whole plot. The canvas must be clear. */
export function paintPlot(context: CanvasRenderingContext2D, painting: Painting): void {
  const { area, points, range, top, labels, pointed, chosen, style } = painting;
  const [from, to] = range;
  const xOf = (x: number): number => area.left + ((x - from) / (to - from)) * area.width;
  const yOf = (y: number): number => area.top + area.height * (1 - y / top);
  context.font = FONT;
  context.lineWidth = 1;
  if (labels !== undefined) {
    paintValues(context, painting, labels, yOf);
    if (to > from) paintTimes(context, painting, labels, xOf);
  }
  const lineWidth = Number.parseFloat(style.strokeWidth);
  context.save();
  context.beginPath();
  context.rect(area.left, area.top - lineWidth, area.width, area.height + 2 * lineWidth);
  context.clip();
  context.fillStyle = style.fill;
  if (chosen !== undefined) {
    const [left, right] = chosen.map(xOf);
    context.fillRect(left ?? 0, area.top, (right ?? 0) - (left ?? 0), area.height);
  }
  context.strokeStyle = style.stroke;
  context.lineWidth = lineWidth;
  context.lineJoin = "round";
  if (to > from) paintLine(context, points, xOf, yOf);
  context.restore();
  const value = pointed === undefined ? undefined : points.y[pointed];
  if (pointed !== undefined && typeof value === "number") {
    const x = xOf(points.x[pointed] ?? 0);
    context.fillStyle = style.stroke;
    context.strokeStyle = style.color;
    context.setLineDash([2, 2]);
    stroke(context, x, area.top, x, area.top + area.height);
    context.setLineDash([]);
    context.beginPath();
    context.arc(x, yOf(value), DOT_PX, 0, 2 * Math.PI);
    context.fill();
  }
}

/** The line, broken where nothing is known, and the colour below it. */
function paintLine(
  context: CanvasRenderingContext2D,
  { x, y }: Points,
  xOf: (x: number) => number,
  yOf: (y: number) => number,
): void {
  const [line, below] = [new Path2D(), new Path2D()];
  const bottom = yOf(0);
  let last: number | undefined;
  for (const [index, value] of y.entries()) {
    if (value === null) {
      if (last !== undefined) below.lineTo(last, bottom);
      last = undefined;
      continue;
    }
    const at = xOf(x[index] ?? 0);
    if (last === undefined) {
      line.moveTo(at, yOf(value));
      below.moveTo(at, bottom);
    }
    line.lineTo(at, yOf(value));
    below.lineTo(at, yOf(value));
    last = at;
  }
  if (last !== undefined) below.lineTo(last, bottom);
  context.fill(below);
  context.stroke(line);
}

function paintValues(
  context: CanvasRenderingContext2D,
  { area, top, style }: Painting,
  labels: PlotLabels,
  yOf: (y: number) => number,
): void {
  context.textAlign = "right";
  context.textBaseline = "middle";
  context.fillStyle = style.color;
  context.strokeStyle = style.borderTopColor;
  for (const value of valuesOf(top)) {
    context.fillText(labels.value(value), area.left - GAP_PX, yOf(value));
    stroke(context, area.left, yOf(value), area.left + area.width, yOf(value));
  }
}

function paintTimes(
  context: CanvasRenderingContext2D,
  { area, range, style }: Painting,
  labels: PlotLabels,
  xOf: (x: number) => number,
): void {
  context.textAlign = "center";
  context.textBaseline = "top";
  context.fillStyle = style.color;
  for (const second of labelTimes(range, area.width / TIME_PX)) {
    const x = xOf(second);
    if (x < area.left + TIME_LEFT_PX || x > area.left + area.width - TIME_RIGHT_PX) continue;
    context.fillText(labels.time(second), x, area.top + area.height + GAP_PX);
  }
}

function stroke(context: CanvasRenderingContext2D, fromX: number, fromY: number, toX: number, toY: number): void {
  context.beginPath();
  context.moveTo(fromX, fromY);
  context.lineTo(toX, toY);
  context.stroke();
}
