import { useSignal } from "@preact/signals";
import { useEffect, useMemo } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import { kilobitsOf, type PlatformHistory, platformHistory } from "../../chart/broadcast-rates.ts";
import { TimeChart } from "../../chart/time-chart.tsx";
import { isStale, returns } from "../../live/store.ts";
import { formatNumber, formatRate } from "../../text/format.ts";
import { t } from "../../text/text.ts";

/** Open charts are read again after so many milliseconds. */
const REREAD_MS = 10_000;

type ChartsOptions = { readonly channelId: string; readonly platId: number; readonly name: string };

/** Reads the platform's history of the broadcast, or of the last hour, and reads it again while it is shown. */
function useHistory(channelId: string, platId: number): PlatformHistory | "none" | undefined {
  const known = useSignal<PlatformHistory | "none" | undefined>(undefined);
  useEffect(() => {
    let isClosed = false;
    const read = async (): Promise<void> => {
      if (document.hidden || isStale.peek()) return;
      const history = await content(api.GET("/re-stream/channels/{channelId}/history", ofChannel(channelId)));
      if (!isClosed) known.value = platformHistory(history, platId) ?? "none";
    };
    const readQuietly = (): void => void read().catch(() => undefined);
    readQuietly();
    const timer = setInterval(readQuietly, REREAD_MS);
    return () => {
      isClosed = true;
      clearInterval(timer);
    };
  }, [channelId, platId, returns.value]);
  return known.value;
}

/** What became of the stream to one platform: bitrate, lag, dropped frames and retries over the broadcast. */
export function PlatformCharts({ channelId, platId, name }: ChartsOptions) {
  const known = useHistory(channelId, platId);
  if (known === undefined) return <p class="quiet">{t().app.loading}</p>;
  if (known === "none") return <p class="quiet">{t().platform.noHistory}</p>;
  return <Charts known={known} name={name} />;
}

function Charts({ known, name }: { readonly known: PlatformHistory; readonly name: string }) {
  const texts = t();
  const charts = useMemo(() => {
    const { times, rates, queueMs, drops, retries } = known;
    const seconds = queueMs.map((ms) => (ms === null ? null : ms / 1_000));
    return [
      {
        ...{ id: "rate", caption: `${texts.platform.bitrate} (kbit/s)`, topMin: 100, y: kilobitsOf(rates) },
        format: (kilobits: number) => formatRate((kilobits * 1_000) / 8),
      },
      {
        ...{
          id: "queue",
          caption: `${texts.platform.queue} (${texts.units.seconds("").trim()})`,
          topMin: 2,
          y: seconds,
        },
        format: (value: number) => texts.units.seconds(formatNumber(value, 1)),
      },
      {
        id: "drops",
        caption: texts.platform.drops,
        topMin: 10,
        y: drops,
        format: (value: number) => formatNumber(value),
      },
      {
        id: "retries",
        caption: texts.platform.retries,
        topMin: 2,
        y: retries,
        format: (value: number) => formatNumber(value),
      },
    ].map(({ y, ...rest }) => ({ ...rest, points: { x: times, y } }));
  }, [known, texts]);
  return (
    <>
      {charts.map(({ id, ...chart }) => (
        <TimeChart key={id} {...chart} label={`${name}: ${chart.caption}`} hasHelp={id === "rate"} />
      ))}
    </>
  );
}
