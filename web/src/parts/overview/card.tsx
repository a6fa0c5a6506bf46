import { at } from "../../base/base-path.ts";
import type { Channel } from "../../base/model.ts";
import { RateLine } from "../../chart/rate-line.tsx";
import { minuteOf } from "../../live/minute.ts";
import type { LiveChannel } from "../../live/store.ts";
import { formatMoment, formatRate } from "../../text/format.ts";
import { language, t } from "../../text/text.ts";
import { lazy, PicturePlace } from "../basic/lazy.tsx";
import { platformLook, State, testLook, verdictLook } from "../basic/state.tsx";
import { audioText, videoText } from "../channel/media-words.ts";
import { platformName } from "../platform/presets.ts";
import { VerdictText } from "./verdict.tsx";
import { selection, toggleSelected, view } from "./view-state.ts";

const loadThumbnail = async () => (await import("../video/thumbnail.tsx")).ThumbnailOf;
const ThumbnailOf = lazy(loadThumbnail, { Meanwhile: PicturePlace });
/** Twice the largest size that the style sheet gives it, in pixels. */
const THUMBNAIL_WIDTH = 256;
/** A hundred platforms would push the other channels off the screen. */
const PILLS_MAX = 12;

/** One channel: a card, or a row of the list. The style sheet makes the difference. */
export function Card({ live }: { readonly live: LiveChannel }) {
  const channel = live.channel.value;
  const look = verdictLook(channel.health);
  const { ingest } = channel;
  const isLive = channel.isPublishing;
  return (
    <>
      <SelectBox channelId={channel.channelId} name={channel.channelName} />
      <a class={`card tone-${look.tone}`} href={at(`/channels/${channel.channelId}`)} lang={language.value}>
        <span class="card-head">
          <span class="card-name">{channel.channelName}</span>
          <span class="card-states">
            {isLive && ingest?.testPattern !== undefined && <State look={testLook()} />}
            <State look={look} />
          </span>
        </span>
        {isLive && <ThumbnailOf channel={channel} width={THUMBNAIL_WIDTH} />}
        <VerdictText channel={channel} />
        {channel.labels !== undefined && (
          <span class="chips">
            {channel.labels.map((label) => (
              <span key={label} class="chip">
                {label}
              </span>
            ))}
          </span>
        )}
        {isLive && (
          <span class="card-since">
            {channel.recentPublishStartTime !== undefined &&
              t().overview.onAirSince(formatMoment(channel.recentPublishStartTime))}
          </span>
        )}
        {isLive && <CardRate live={live} tone={look.tone} />}
        {isLive && ingest !== undefined && (
          <span class="card-facts">
            {[videoText(ingest), audioText(ingest)].filter((text) => text !== "").join("\u00a0· ")}
          </span>
        )}
        <Pills channel={channel} />
      </a>
    </>
  );
}

const TONES: readonly string[] = ["bad", "busy"];

/** The platforms. Of very many the first, those in trouble before others, and how many more there are. */
function Pills({ channel }: { readonly channel: Channel }) {
  const all = channel.platforms.map((platform) => ({ platform, look: platformLook(platform, channel) }));
  const more = all.length - PILLS_MAX;
  const rank = ({ look }: (typeof all)[number]): number => (TONES.indexOf(look.tone) + 3) % 3;
  const shown = more > 0 ? all.toSorted((one, other) => rank(one) - rank(other)).slice(0, PILLS_MAX) : all;
  return (
    <span class="pills">
      {shown.map(({ platform, look }) => (
        <State key={platform.platId} look={look} name={platformName(platform)} />
      ))}
      {more > 0 && <span class="state tone-off">+{more}</span>}
    </span>
  );
}

/** A component of its own, so that a sample renders only this. The list has no room for a line. */
function CardRate({ live, tone }: { readonly live: LiveChannel; readonly tone: string }) {
  const rates = minuteOf(live).map(({ ingest }) => ingest.bytesPerSecond);
  return (
    <span class="card-rate">
      {view.value === "cards" && <RateLine live={live} rates={rates} label={t().encoder.rateLine} tone={tone} />}
      <b>{rates.length === 0 ? "–" : formatRate(rates.at(-1) ?? 0)}</b>
    </span>
  );
}

type SelectBoxOptions = { readonly channelId: string; readonly name: string };

/** A component of its own, so that a tick renders only the boxes. */
function SelectBox({ channelId, name }: SelectBoxOptions) {
  if (selection.value === undefined) return null;
  return (
    <label class="select-box">
      <input
        type="checkbox"
        aria-label={t().overview.selectOne(name)}
        checked={selection.value.has(channelId)}
        onChange={() => toggleSelected(channelId)}
      />
    </label>
  );
}
