import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { at } from "../base/base-path.ts";
import type { Platform } from "../base/model.ts";
import { RateLine } from "../chart/rate-line.tsx";
import { allChannels, hasSnapshot, type LiveChannel } from "../live/store.ts";
import { Icon } from "../parts/basic/icon.tsx";
import { lazy } from "../parts/basic/lazy.tsx";
import { channelLook, isWaiting, platformLook, State } from "../parts/basic/state.tsx";
import { audioText, videoText } from "../parts/channel/media-words.ts";
import { platformName, readPresets } from "../parts/platform/presets.ts";
import { formatMoment, formatRate } from "../text/format.ts";
import { language, t } from "../text/text.ts";

const NewChannel = lazy(async () => (await import("./new-channel.tsx")).NewChannel);

/** How many alerts are shown. */
const ALERTS_MAX = 8;

/** Every channel at a glance, problems first. */
export function Overview() {
  const query = useSignal("");
  const isCreating = useSignal(false);
  useEffect(() => void readPresets().catch(() => undefined), []);
  const channels = allChannels.value;
  const wanted = query.value.trim().toLowerCase();
  const shown = channels.filter(({ channel }) => channel.value.channelName.toLowerCase().includes(wanted));
  const create = (
    <button type="button" class="main" onClick={() => (isCreating.value = true)}>
      <Icon name="plus" /> {t().overview.create}
    </button>
  );
  if (!hasSnapshot.value) return <p role="status">{t().app.loading}</p>;
  return (
    <>
      <div class="page-head">
        <h1 tabIndex={-1}>{t().overview.title}</h1>
        <span class="page-count">
          {t().overview.channels(channels.length)} · {t().overview.onAirCount(channels.filter(isOnAir).length)}
        </span>
        {channels.length > 0 && (
          <div class="page-actions">
            <label class="search">
              <Icon name="search" />
              <span class="visually-hidden">{t().overview.search}</span>
              <input
                type="search"
                placeholder={t().overview.search}
                onInput={(event) => (query.value = event.currentTarget.value)}
              />
            </label>
            {create}
          </div>
        )}
      </div>
      <Alerts channels={channels} />
      {channels.length === 0 && <Empty create={create} />}
      {channels.length > 0 && shown.length === 0 && <p class="quiet">{t().overview.noMatch(query.value)}</p>}
      <ul class="cards">
        {shown.map((live) => (
          <li key={live.channel.value.channelId} class="card-place">
            <Card live={live} />
          </li>
        ))}
      </ul>
      {isCreating.value && <NewChannel onClose={() => (isCreating.value = false)} />}
    </>
  );
}

const isOnAir = ({ channel }: LiveChannel): boolean => channel.value.isPublishing;

function Empty({ create }: { readonly create: ComponentChildren }) {
  return (
    <section class="empty">
      <img src={at("/icon.svg")} alt="" width="64" height="64" />
      <h2>{t().overview.emptyTitle}</h2>
      <p>{t().overview.emptyText}</p>
      {create}
    </section>
  );
}

/** Whether the platform has failed (also during a retry), or accepted the stream and is sent nothing. */
function isInTrouble(platform: Platform): boolean {
  if (!platform.enabled) return false;
  const isFailing = platform.connectStatus === "FAIL" || platform.connectStatus === "CONNECTING";
  return isWaiting(platform) || (isFailing && platform.lastError !== undefined);
}

/** A warning's sentence, or a failure in a few words: the channel's page has the whole sentence. */
function troubleText({ warning, lastError }: Platform): string {
  if (warning !== undefined) return language.value === "ko" ? warning.messageKo : warning.message;
  return lastError === undefined ? "" : t().errors[lastError.code];
}

/** Failed platforms, held channels, and channels without video, over all channels. */
function Alerts({ channels }: { readonly channels: readonly LiveChannel[] }) {
  const alerts = channels.flatMap(({ channel: { value: channel } }) => {
    const path = `/channels/${channel.channelId}`;
    const failed = channel.platforms.filter(isInTrouble).map((platform) => ({
      key: `${channel.channelId} ${platform.platId}`,
      path,
      look: platformLook(platform),
      title: t().overview.alertFail(channel.channelName, platformName(platform)),
      text: troubleText(platform),
    }));
    const { ingest } = channel;
    const isHeld = ingest?.state === "HELD";
    const isDark = ingest?.warnings.some(({ code }) => code === "VIDEO_MISSING");
    if (!channel.isPublishing || (!isHeld && !isDark)) return failed;
    const trouble = {
      key: channel.channelId,
      path,
      look: channelLook(channel),
      title: channel.channelName,
      text: isHeld ? t().overview.held : t().overview.noVideo,
    };
    return [trouble, ...failed];
  });
  if (alerts.length === 0) return null;
  return (
    <section class="alerts" aria-labelledby="alerts-title">
      <h2 id="alerts-title">
        {t().overview.alerts} <span class="page-count">{alerts.length}</span>
      </h2>
      <ul>
        {alerts.slice(0, ALERTS_MAX).map(({ key, path, look, title, text }) => (
          <li key={key}>
            <a href={path}>
              <State look={look} />
              <b>{title}</b>
              <span>{text}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Card({ live }: { readonly live: LiveChannel }) {
  const channel = live.channel.value;
  const look = channelLook(channel);
  const { ingest } = channel;
  const isLive = channel.isPublishing;
  return (
    <a class={`card tone-${look.tone}`} href={at(`/channels/${channel.channelId}`)} lang={language.value}>
      <span class="card-head">
        <span class="card-name">{channel.channelName}</span>
        <State look={look} />
      </span>
      <span class="card-since">
        {isLive && channel.recentPublishStartTime !== undefined
          ? t().overview.onAirSince(formatMoment(channel.recentPublishStartTime))
          : t().overview.notOnAir}
      </span>
      {isLive && <CardRate live={live} tone={look.tone} />}
      {isLive && ingest !== undefined && (
        <span class="card-facts">
          {[videoText(ingest), audioText(ingest)].filter((text) => text !== "").join("\u00a0· ")}
        </span>
      )}
      <span class="pills">
        {channel.platforms.map((platform) => (
          <State key={platform.platId} look={platformLook(platform)} name={platformName(platform)} />
        ))}
      </span>
    </a>
  );
}

/** A component of its own, so that a sample renders only this. */
function CardRate({ live, tone }: { readonly live: LiveChannel; readonly tone: string }) {
  const rates = live.samples.value.map(({ ingest }) => ingest.bytesPerSecond);
  return (
    <span class="card-rate">
      <RateLine rates={rates} label={t().encoder.rateLine} tone={tone} />
      <b>{formatRate(rates.at(-1) ?? 0)}</b>
    </span>
  );
}
