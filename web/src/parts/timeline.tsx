import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { channelPath, list } from "../api.ts";
import { recentEvents } from "../live/store.ts";
import type { Channel, ChannelEvent } from "../model.ts";
import { platformName } from "../presets.ts";
import { formatDateTime, formatTime } from "../text/format.ts";
import { t } from "../text/text.ts";
import { Action, problemText } from "./action.tsx";
import { eventText } from "./event-words.ts";
import { Icon } from "./icon.tsx";
import { say } from "./notice.tsx";

const PAGE_SIZE = 50;
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

/** What happened to a channel, newest first: stored pages, and what comes while they are read. */
export function Timeline({ channel }: { readonly channel: Channel }) {
  const stored = useSignal<readonly ChannelEvent[]>([]);
  const total = useSignal(0);
  const filter = useSignal<Filter>("all");
  const { channelId } = channel;
  const read = async (pageNo: number): Promise<void> => {
    const page = await list<ChannelEvent>(`${channelPath(channelId)}/events?pageNo=${pageNo}&pageSizeNo=${PAGE_SIZE}`);
    stored.value = pageNo === 1 ? page.items : merged(stored.value, page.items);
    total.value = page.total;
  };
  useEffect(() => {
    read(1).catch((error: unknown) => say(problemText(error), "bad"));
  }, [channelId]);
  const fresh = recentEvents.value.filter((event) => event.channelId === channelId);
  const all = merged(fresh, stored.value);
  const shown = all.filter((event) => passes(event, filter.value));
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
          <button type="button" onClick={() => download(`${channel.channelName}.json`, JSON.stringify(shown, null, 2))}>
            {t().events.export} JSON
          </button>
          <button type="button" onClick={() => download(`${channel.channelName}.csv`, csvOf(shown))}>
            {t().events.export} CSV
          </button>
        </div>
      </div>
      {shown.length === 0 && <p class="quiet">{all.length === 0 ? t().events.none : t().events.noneMatch}</p>}
      <ol class="timeline">
        {shown.map((event) => (
          <EventLine key={event.id} event={event} channel={channel} />
        ))}
      </ol>
      {stored.value.length < total.value && (
        <Action run={() => read(Math.floor(stored.value.length / PAGE_SIZE) + 1)}>{t().common.loadMore}</Action>
      )}
    </section>
  );
}

/** Both lists in one, newest first, each event once. */
function merged(one: readonly ChannelEvent[], other: readonly ChannelEvent[]): readonly ChannelEvent[] {
  const byId = new Map([...other, ...one].map((event) => [event.id, event]));
  return [...byId.values()].sort((a, b) => b.id - a.id);
}

type LineOptions = { readonly event: ChannelEvent; readonly channel: Channel };

function EventLine({ event, channel }: LineOptions) {
  const tone = event.logLevel === "ERROR" ? "bad" : event.logLevel === "WARN" ? "busy" : "calm";
  return (
    <li class={`tone-${tone}`}>
      <Icon name={event.logLevel === "INFO" ? "dot" : "alert"} />
      <time dateTime={new Date(event.timestamp).toISOString()} title={formatDateTime(event.timestamp)}>
        {formatTime(event.timestamp)}
      </time>
      <span>
        <span class="visually-hidden">{t().events.levels[event.logLevel]}: </span>
        {eventText(t(), event, nameOf(event, channel))}
      </span>
    </li>
  );
}

/** What a platform is called, or was by its number. */
function nameOf({ platId }: ChannelEvent, { platforms }: Channel): string {
  const platform = platforms.find((each) => each.platId === platId);
  return platform === undefined ? t().events.formerPlatform(platId ?? 0) : platformName(platform);
}

function csvOf(events: readonly ChannelEvent[]): string {
  const columns = ["timestamp", "logLevel", "eventCode", "platId", "from", "to", "reason", "description"] as const;
  const cell = (value: unknown): string => {
    const text = String(value ?? "");
    // A text that a spreadsheet would take for a formula is made plain text.
    return `"${(/^[=+\-@\t\r]/.test(text) ? `'${text}` : text).replaceAll('"', '""')}"`;
  };
  const rows = events.map((event) =>
    columns.map((name) => cell(name === "timestamp" ? new Date(event.timestamp).toISOString() : event[name])).join(","),
  );
  return `\uFEFF${[columns.join(","), ...rows].join("\r\n")}\r\n`;
}

function download(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text]));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}
