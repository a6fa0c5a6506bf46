import { type Signal, useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { call, channelPath } from "../../base/api.ts";
import type { History } from "../../base/model.ts";
import { type Rates, ratesOfHistory, withSamples } from "../../chart/broadcast-rates.ts";
import { Line } from "../../chart/line.tsx";
import type { PlotLook, Points } from "../../chart/line-plot.ts";
import { rateWords } from "../../chart/rate-line.tsx";
import { type LiveChannel, returns } from "../../live/store.ts";
import { formatNumber, formatRate, formatTime } from "../../text/format.ts";
import { t } from "../../text/text.ts";

const AXIS_FONT = "12px system-ui, sans-serif";
const X_AXIS_PX = 22;
/** The room that a time on the x axis needs. */
const TIME_PX = 84;
/** The shortest time that is shown, in seconds: 60 points. */
const SECONDS_MIN = 59;
/** More points than this are read again: the server then sends a longer step. */
const POINTS_MAX = 7_200;

/** The upper end of an axis that is easy to read: 1, 2, 5 or 10 times a power of ten. */
function axisTop(max: number): number {
  const power = 10 ** Math.floor(Math.log10(max));
  return [1, 2, 5, 10].map((step) => step * power).find((top) => top >= max) ?? max;
}

/** The index of the point under the pointer. */
type Pointed = Signal<number | undefined>;

function chartLook(pointed: Pointed) {
  return (style: CSSStyleDeclaration): PlotLook => {
    const grid = { stroke: () => style.borderTopColor, width: 1 };
    const axis = { stroke: () => style.color, font: AXIS_FONT };
    return {
      axes: [
        {
          ...axis,
          size: X_AXIS_PX,
          gap: 4,
          grid: { show: false },
          space: TIME_PX,
          values: (_plot, splits) => splits.map((second) => formatTime(second * 1_000)),
        },
        {
          ...axis,
          grid,
          gap: 6,
          size: (_plot, labels) => 10 + 7 * Math.max(0, ...(labels ?? []).map(({ length }) => length)),
          splits: (_plot, _axis, min, max) => [min, (min + max) / 2, max],
          values: (_plot, splits) => splits.map((value) => formatNumber(value)),
        },
      ],
      padding: [8, 14, 0, 0],
      top: (max) => axisTop(Math.max(100, max)),
      onPoint: (index) => {
        pointed.value = index;
      },
    };
  };
}

/** Reads the line of the broadcast when the page opens and after each return of the server, then adds each second's sample. */
function useBroadcastRates(live: LiveChannel): Rates {
  const known = useSignal<Rates>({ times: [], rates: [] });
  const reads = useSignal(0);
  const { channelId, recentPublishStartTime } = live.channel.value;
  useEffect(() => {
    let isClosed = false;
    call<History>("GET", `${channelPath(channelId)}/history`)
      .then((history) => {
        if (!isClosed) known.value = withSamples(ratesOfHistory(history), live.samples.peek());
      })
      .catch(() => undefined);
    return () => {
      isClosed = true;
    };
  }, [channelId, recentPublishStartTime, returns.value, reads.value]);
  const samples = live.samples.value;
  useEffect(() => {
    known.value = withSamples(known.peek(), samples);
    if (known.peek().times.length > POINTS_MAX) reads.value += 1;
  }, [samples]);
  return known.value;
}

/** Returns the line in kbit/s. A young broadcast has an empty part on its left. */
function pointsOf({ times, rates }: Rates): Points {
  const kilobits = rates.map((rate) => (rate === null ? null : (rate * 8) / 1_000));
  const [first, last] = [times[0], times.at(-1)];
  if (first === undefined || last === undefined || last - first >= SECONDS_MIN) return { x: times, y: kilobits };
  return { x: [last - SECONDS_MIN, ...times], y: [null, ...kilobits] };
}

/** The ingest bitrate of the broadcast in kbit/s, the value under the pointer, and the last minute in words. */
export function IngestChart({ live }: { readonly live: LiveChannel }) {
  const pointed: Pointed = useSignal<number | undefined>(undefined);
  const look = useMemo(() => chartLook(pointed), [pointed]);
  const known = useBroadcastRates(live);
  const points = useMemo(() => pointsOf(known), [known]);
  const rates = live.samples.value.map(({ ingest }) => ingest.bytesPerSecond);
  const index = pointed.value ?? -1;
  const [time, kilobits] = [points.x[index], points.y[index]];
  const isPointed = time !== undefined && typeof kilobits === "number";
  return (
    <figure class="chart">
      <figcaption aria-hidden="true">
        {isPointed ? `${formatTime(time * 1_000)}: ${formatRate((kilobits * 1_000) / 8)}` : "kbit/s"}
        <span class="chart-help">{t().encoder.zoom}</span>
      </figcaption>
      <Line points={points} look={look} class="chart-line" label={`${t().encoder.rateLine}: ${rateWords(rates)}`} />
    </figure>
  );
}
