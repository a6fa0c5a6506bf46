import { useEffect, useRef } from "preact/hooks";
import { HISTORY_SECONDS } from "../live/hub.ts";
import { formatRate } from "../text/format.ts";
import { t } from "../text/text.ts";

/** Height of the box that lines are drawn in; its width is the seconds that are kept. */
export const RATE_BOX_HEIGHT = 20;

/** A line over the last minute and the area below it, as SVG paths; the newest rate is at the right edge. */
export function linePaths(rates: readonly number[], top: number): { readonly line: string; readonly area: string } {
  if (rates.length < 2) return { line: "", area: "" };
  const first = HISTORY_SECONDS - rates.length;
  const points = rates.map((rate, index) => `${first + index} ${((1 - rate / top) * RATE_BOX_HEIGHT).toFixed(1)}`);
  const line = `M${points.join("L")}`;
  return { line, area: `${line}V${RATE_BOX_HEIGHT}H${first}Z` };
}

/** What a line shows, for who cannot see it. */
export function rateWords(rates: readonly number[]): string {
  const known = rates.length > 0 ? rates : [0];
  return t().encoder.lineText(
    formatRate(known.at(-1) ?? 0),
    formatRate(Math.min(...known)),
    formatRate(Math.max(...known)),
  );
}

type RateLineOptions = {
  /** Bytes a second, one for each second, the newest last. */
  readonly rates: readonly number[];
  readonly label: string;
  readonly tone: string;
};

/** The last minute of a bitrate, small. Nothing is drawn while it is out of sight. */
export function RateLine({ rates, label, tone }: RateLineOptions) {
  const element = useRef<SVGSVGElement>(null);
  const isSeen = useRef(true);
  useEffect(() => {
    const svg = element.current;
    if (svg === null) return;
    const observer = new IntersectionObserver((entries) => {
      isSeen.current = entries.at(-1)?.isIntersecting ?? true;
    });
    observer.observe(svg);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const [area, line] = element.current?.querySelectorAll("path") ?? [];
    if (!isSeen.current) return;
    const paths = linePaths(rates, Math.max(1, ...rates) * 1.1);
    area?.setAttribute("d", paths.area);
    line?.setAttribute("d", paths.line);
  }, [rates]);
  return (
    <svg
      ref={element}
      class={`rate-line tone-${tone}`}
      viewBox={`0 0 ${HISTORY_SECONDS - 1} ${RATE_BOX_HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={`${label}: ${rateWords(rates)}`}
    >
      <path class="area" />
      <path class="line" vector-effect="non-scaling-stroke" />
    </svg>
  );
}
