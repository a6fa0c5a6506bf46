import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import { kilobitsOf, type Rates, ratesOfHistory, withSamples } from "../../chart/broadcast-rates.ts";
import { rateWords } from "../../chart/rate-line.tsx";
import { TimeChart } from "../../chart/time-chart.tsx";
import { minuteOf } from "../../live/minute.ts";
import { type LiveChannel, returns } from "../../live/store.ts";
import { formatRate } from "../../text/format.ts";
import { t } from "../../text/text.ts";

/** More points than this are read again: the server then sends a longer step. */
const POINTS_MAX = 7_200;
/** The axis ends here or higher, in kbit/s. */
const TOP_MIN = 100;

/** Reads the line of the broadcast when the page opens and after each return of the server, then adds each second's sample. */
function useBroadcastRates(live: LiveChannel): Rates {
  const known = useSignal<Rates>({ times: [], rates: [] });
  const reads = useSignal(0);
  const { channelId, recentPublishStartTime } = live.channel.value;
  useEffect(() => {
    let isClosed = false;
    content(api.GET("/re-stream/channels/{channelId}/history", ofChannel(channelId)))
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

/** The ingest bitrate of the broadcast in kbit/s, the value under the pointer, and the last minute in words. */
export function IngestChart({ live }: { readonly live: LiveChannel }) {
  const known = useBroadcastRates(live);
  const points = useMemo(() => ({ x: known.times, y: kilobitsOf(known.rates) }), [known]);
  const rates = minuteOf(live).map(({ ingest }) => ingest.bytesPerSecond);
  return (
    <TimeChart
      points={points}
      caption="kbit/s"
      format={(kilobits) => formatRate((kilobits * 1_000) / 8)}
      topMin={TOP_MIN}
      label={`${t().encoder.rateLine}: ${rateWords(rates)}`}
      hasHelp
    />
  );
}
