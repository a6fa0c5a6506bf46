import { HISTORY_SECONDS } from "../live/hub.ts";
import type { LiveChannel } from "../live/store.ts";
import { formatNumber } from "../text/format.ts";
import { t } from "../text/text.ts";
import { linePaths, RATE_BOX_HEIGHT, rateWords } from "./rate-line.tsx";

/** Steps of an axis that people read easily: 1, 2 or 5 times a power of ten. */
function axisTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max;
}

/**
 * The ingest bitrate of the last minute in kbit/s, and the same in words. Drawn by ourselves: one line of 60 points, where the charting
 * library we tried was more than a third of the whole application.
 */
export function IngestChart({ live }: { readonly live: LiveChannel }) {
  const rates = live.samples.value.map(({ ingest }) => (ingest.bytesPerSecond * 8) / 1_000);
  const top = axisTop(Math.max(100, ...rates));
  const { line, area } = linePaths(rates, top);
  const words = rateWords(live.samples.value.map(({ ingest }) => ingest.bytesPerSecond));
  return (
    <figure class="chart" role="img" aria-label={`${t().encoder.rateLine}: ${words}`}>
      <div class="chart-scale" aria-hidden="true">
        {[top, top / 2, 0].map((value) => (
          <span key={value}>{formatNumber(value)}</span>
        ))}
      </div>
      <svg viewBox={`0 0 ${HISTORY_SECONDS - 1} ${RATE_BOX_HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        {[0, 0.5, 1].map((part) => (
          <path
            key={part}
            class="grid"
            d={`M0 ${part * RATE_BOX_HEIGHT}H${HISTORY_SECONDS - 1}`}
            vector-effect="non-scaling-stroke"
          />
        ))}
        <path class="area" d={area} />
        <path class="line" d={line} vector-effect="non-scaling-stroke" />
      </svg>
      <figcaption aria-hidden="true">
        <span>−60 s</span>
        <span>kbit/s</span>
        <span>0 s</span>
      </figcaption>
    </figure>
  );
}
