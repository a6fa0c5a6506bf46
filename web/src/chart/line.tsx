import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../base/theme.ts";
import { isStale } from "../live/store.ts";
import { language } from "../text/text.ts";
import type { Points } from "./last-minute.ts";
import type { LinePlot, PlotLook } from "./line-plot.ts";

type LineOptions = {
  /** Another object for each change. */
  readonly points: Points;
  readonly look: (style: CSSStyleDeclaration) => PlotLook;
  readonly class: string;
  /** The same in words, for people who cannot see it. */
  readonly label: string;
  /** Called each time that the line comes into sight. */
  readonly onSeen?: () => void;
};

/** A plot is made when its element comes this close to the visible part of the page. */
const SIGHT_MARGIN = "100px";

/** A line whose plot exists only while it is visible: of 200 on a page the browser keeps and paints a screenful. */
export function Line({ points, look, class: className, label, onSeen }: LineOptions) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<LinePlot | undefined>(undefined);
  const latest = useRef(points);
  latest.current = points;
  const seen = useRef(onSeen);
  seen.current = onSeen;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const close = (): void => {
      plot.current?.close();
      plot.current = undefined;
    };
    let isInSight = false;
    // uPlot is a file of its own: a page with nothing on air does not load it. Where it is missing, the line's words remain.
    const open = async (): Promise<void> => {
      const { openLinePlot } = await import("./line-plot.ts");
      if (isInSight) plot.current ??= openLinePlot(element, look, latest.current);
    };
    const observer = new IntersectionObserver(
      (entries) => {
        isInSight = entries.at(-1)?.isIntersecting === true;
        if (!isInSight) return close();
        seen.current?.();
        open().catch(() => undefined);
      },
      { rootMargin: SIGHT_MARGIN },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      isInSight = false;
      close();
    };
  }, [look]);
  useEffect(() => plot.current?.show(points), [points]);
  const paint = `${isDark.value} ${isStale.value} ${language.value} ${className}`;
  useEffect(() => plot.current?.repaint(), [paint]);
  return <div ref={place} class={className} role="img" aria-label={label} />;
}
