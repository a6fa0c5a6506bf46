import { useEffect, useRef } from "preact/hooks";
import { isDark } from "../base/theme.ts";
import { type LinePlot, openLinePlot, type PlotLook } from "./line-plot.ts";

type LineOptions = {
  /** One for each second, the newest last. */
  readonly values: readonly number[];
  readonly look: (style: CSSStyleDeclaration) => PlotLook;
  readonly class: string;
  /** What it shows, in words: for who cannot see it. */
  readonly label: string;
};

/** Lines are made a little before they come into sight. */
const SIGHT_MARGIN = "100px";

/** A line that exists while it is in sight: of 200 on a page the browser keeps and paints a screenful. */
export function Line({ values, look, class: className, label }: LineOptions) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<LinePlot | undefined>(undefined);
  const latest = useRef(values);
  latest.current = values;
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const close = (): void => {
      plot.current?.close();
      plot.current = undefined;
    };
    const observer = new IntersectionObserver(
      (entries) => {
        if (entries.at(-1)?.isIntersecting !== true) close();
        else plot.current ??= openLinePlot(element, look, latest.current);
      },
      { rootMargin: SIGHT_MARGIN },
    );
    observer.observe(element);
    return () => {
      observer.disconnect();
      close();
    };
  }, [look]);
  useEffect(() => plot.current?.show(values), [values]);
  const paint = `${isDark.value} ${className}`;
  useEffect(() => plot.current?.repaint(), [paint]);
  return <div ref={place} class={className} role="img" aria-label={label} />;
}
