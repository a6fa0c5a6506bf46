import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { authorText, eventText } from "../../../../src/api-contract/words/event-sentences.ts";
import { api, page } from "../../base/api.ts";
import type { Channel, ChannelEvent, RefusedEncoder } from "../../base/model.ts";
import { recentEvents, refusedEncoders, returns } from "../../live/store.ts";
import { formatDateTime, formatEventTime, formatMoment } from "../../text/format.ts";
import { refusedText } from "../../text/refused-text.ts";
import { t } from "../../text/text.ts";
import { Action, sayProblem } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { merged, readAll } from "../lists/pages.ts";
import { type ExportFormat, FORMATS, saveEvents } from "./event-export.ts";
import { recordedTargetName } from "./recorded-target-name.ts";

/** Events that are shown at first, and added at each press of the button. */
const PAGE_SIZE = 20;
/** How many pages an export reads at most. */
const EXPORT_PAGES_MAX = 200;
/** Refused encoders that are shown, the latest. */
const REFUSED_MAX = 10;
const FILTERS = ["all", "problems", "broadcasts", "platforms", "changes"] as const;
type Filter = (typeof FILTERS)[number];

function passes(event: ChannelEvent, filter: Filter): boolean {
  const isPlatform = event.eventCode === "SIMULCAST_STATUS_CHANGE";
  const isChange = event.eventCode.startsWith("STREAM_");
  switch (filter) {
    case "all":
      return true;
    case "problems":
      return event.logLevel !== "INFO";
    case "platforms":
      return isPlatform;
    case "changes":
      return isChange;
    default:
      return !isPlatform && !isChange;
  }
}

/** A channel's events, newest first: the stored ones, and those that happen while the page is open. */
export function Timeline({ channel }: { readonly channel: Channel }) {
  const stored = useSignal<readonly ChannelEvent[]>([]);
  const total = useSignal(0);
  const shownMax = useSignal(PAGE_SIZE);
  const filter = useSignal<Filter>("all");
  const { channelId } = channel;
  const isOfChannel = (event: ChannelEvent): boolean => event.channelId === channelId;
  const read = async (pageNo: number): Promise<void> => {
    const found = await readPage(channelId, pageNo, PAGE_SIZE);
    stored.value = pageNo === 1 ? found.items : merged(stored.value, found.items);
    total.value = found.total;
  };
  /** Reads as many pages as are shown. */
  const readAgain = async (): Promise<void> => {
    for (let pageNo = 1; pageNo * PAGE_SIZE <= shownMax.peek(); pageNo += 1) await read(pageNo);
  };
  /** Exports all events that pass the filter, not only those on the page. */
  const exportAs = async (format: ExportFormat): Promise<void> => {
    const all = merged(
      recentEvents.peek().filter(isOfChannel),
      await readAll((...of) => readPage(channelId, ...of), EXPORT_PAGES_MAX),
    );
    saveEvents(
      channel.channelName,
      format,
      all.filter((event) => passes(event, filter.peek())),
    );
  };
  useEffect(() => {
    readAgain().catch(sayProblem);
  }, [channelId, returns.value]);
  /** What happened since: the stream's own list forgets it once other channels have told enough. */
  const since = useRef<readonly ChannelEvent[]>([]);
  since.current = merged(recentEvents.value.filter(isOfChannel), since.current);
  const all = merged(since.current, stored.value);
  const passing = all.filter((event) => passes(event, filter.value));
  const shown = passing.slice(0, shownMax.value);
  const areRefusedShown = filter.value === "all" || filter.value === "problems";
  const refused = areRefusedShown ? refusedEncoders.value.filter(isOfNoChannel).slice(0, REFUSED_MAX) : [];
  const hasMoreStored = stored.value.length < total.value;
  const showMore = async (): Promise<void> => {
    if (hasMoreStored) await read(Math.floor(stored.value.length / PAGE_SIZE) + 1);
    shownMax.value += PAGE_SIZE;
  };
  return (
    <section class="panel" aria-labelledby="timeline-title">
      <div class="panel-head">
        <h2 id="timeline-title">{t().events.title}</h2>
        <div class="page-actions">
          <select
            aria-label={t().events.filter}
            value={filter.value}
            onChange={(event) => (filter.value = event.currentTarget.value as Filter)}
          >
            {FILTERS.map((name) => (
              <option key={name} value={name}>
                {t().events.filters[name]}
              </option>
            ))}
          </select>
          {FORMATS.map((format) => (
            <Action key={format} run={() => exportAs(format)}>
              {t().events.export(format.toUpperCase())}
            </Action>
          ))}
        </div>
      </div>
      {shown.length === 0 && <p class="quiet">{all.length === 0 ? t().events.none : t().events.noneMatch}</p>}
      <ol class="timeline">
        {withRefused(shown, refused, hasMoreStored || passing.length > shown.length).map((line) =>
          "id" in line ? (
            <EventLine key={line.id} event={line} channel={channel} />
          ) : (
            <RefusedLine key={`${line.remoteAddress} ${line.reason}`} encoder={line} />
          ),
        )}
      </ol>
      {(hasMoreStored || passing.length > shown.length) && <Action run={showMore}>{t().events.showOlder}</Action>}
    </section>
  );
}

/** An encoder whose wrong key belongs to no channel: it may have been meant for this one. */
const isOfNoChannel = ({ channelId }: RefusedEncoder): boolean => channelId === undefined;

type Line = ChannelEvent | RefusedEncoder;

/** Puts refused encoders between the events of their time. Where older events are not shown, older ones of them are not either. */
function withRefused(
  events: readonly ChannelEvent[],
  refused: readonly RefusedEncoder[],
  hasOlder: boolean,
): readonly Line[] {
  const lines: Line[] = [...events];
  for (const encoder of refused) {
    const at = lines.findIndex((line) => ("id" in line ? line.timestamp : line.lastTime) < encoder.lastTime);
    if (at >= 0) lines.splice(at, 0, encoder);
    else if (!hasOlder) lines.push(encoder);
  }
  return lines;
}

const readPage = (channelId: string, pageNo: number, pageSizeNo: number) =>
  page(
    api.GET("/re-stream/channels/{channelId}/events", {
      params: { path: { channelId }, query: { pageNo, pageSizeNo } },
    }),
  );

function RefusedLine({ encoder }: { readonly encoder: RefusedEncoder }) {
  const { lastTime } = encoder;
  return (
    <li class="tone-busy">
      <Icon name="alert" />
      <time dateTime={new Date(lastTime).toISOString()} title={formatDateTime(lastTime)}>
        {formatEventTime(lastTime)}
      </time>
      <span>
        <span class="visually-hidden">{t().events.levels.WARN}: </span>
        {refusedText(encoder, formatMoment)}
      </span>
    </li>
  );
}

type LineOptions = { readonly event: ChannelEvent; readonly channel: Channel };

function EventLine({ event, channel }: LineOptions) {
  const author = authorText(t(), event);
  const tone = event.logLevel === "ERROR" ? "bad" : event.logLevel === "WARN" ? "busy" : "calm";
  return (
    <li class={`tone-${tone}`}>
      <Icon name={event.logLevel === "INFO" ? "dot" : "alert"} />
      <time dateTime={new Date(event.timestamp).toISOString()} title={formatDateTime(event.timestamp)}>
        {formatEventTime(event.timestamp)}
      </time>
      <span>
        <span class="visually-hidden">{t().events.levels[event.logLevel]}: </span>
        {eventText(t(), event, recordedTargetName(event, channel))}
        {author !== undefined && <span class="quiet"> · {author}</span>}
      </span>
    </li>
  );
}
