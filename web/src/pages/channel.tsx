import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { api, ofChannel } from "../base/api.ts";
import { at } from "../base/base-path.ts";
import { now } from "../base/clock.ts";
import type { Channel } from "../base/model.ts";
import { go } from "../base/router.ts";
import { forgetChannel, hasSnapshot, type LiveChannel, liveChannel, returns } from "../live/store.ts";
import { Action } from "../parts/basic/action.tsx";
import { Confirm } from "../parts/basic/confirm.tsx";
import { Icon } from "../parts/basic/icon.tsx";
import { FoldedPanel, lazy } from "../parts/basic/lazy.tsx";
import { channelLook, State } from "../parts/basic/state.tsx";
import { ChannelSettings } from "../parts/channel/channel-settings.tsx";
import { EncoderCard } from "../parts/channel/encoder-card.tsx";
import { IngestCard } from "../parts/channel/ingest-card.tsx";
import { Labels } from "../parts/channel/labels.tsx";
import { Verdict } from "../parts/channel/verdict.tsx";
import { PlatformRow } from "../parts/platform/platform-row.tsx";
import { readPresets } from "../parts/platform/presets.ts";
import { FirstSteps } from "../parts/start/first-steps.tsx";
import { Recommended } from "../parts/start/recommended.tsx";
import { formatClock, formatMoment } from "../text/format.ts";
import { t } from "../text/text.ts";

const RenameChannel = lazy(async () => (await import("../parts/channel/channel-name-field.tsx")).RenameChannel);
const AddPlatform = lazy(async () => (await import("../parts/platform/platform-form.tsx")).AddPlatform);
const loadSources = async () => (await import("../parts/sources/source-opener.tsx")).SourceOpener;
const SourceOpener = lazy(loadSources, { Meanwhile: FoldedPanel });
const loadSchedules = async () => (await import("../parts/schedules/schedules.tsx")).Schedules;
const Schedules = lazy(loadSchedules, { Meanwhile: FoldedPanel });
const ImportPlatforms = lazy(async () => (await import("../parts/platform/import-dialog.tsx")).ImportPlatforms);
const Reports = lazy(async () => (await import("../parts/history/reports.tsx")).Reports);
const Timeline = lazy(async () => (await import("../parts/history/timeline.tsx")).Timeline);
const Recordings = lazy(async () => (await import("../parts/recordings/recordings.tsx")).Recordings);

const OwnerNote = lazy(async () => (await import("../parts/nodes/nodes.tsx")).OwnerNote);

const isOld = ({ ownerState }: Channel): boolean => ownerState === "SILENT" || ownerState === "LOST";

/** One channel: its platforms, encoder, settings, events and reports. */
export function ChannelPage({ channelId }: { readonly channelId: string }) {
  useEffect(() => void readPresets().catch(() => undefined), [returns.value]);
  const live = liveChannel(channelId);
  if (live === undefined) {
    return (
      <section class="empty">
        <h1 tabIndex={-1}>{hasSnapshot.value ? t().channel.gone : t().app.loading}</h1>
        <a href={at("/")}>{t().app.home}</a>
      </section>
    );
  }
  return <LoadedChannel live={live} />;
}

function LoadedChannel({ live }: { readonly live: LiveChannel }) {
  const channel = live.channel.value;
  /** The stream is above the keys where the page was opened on air, and below them where an encoder is awaited. It stays there. */
  const isStreamFirst = useRef(channel.isPublishing).current;
  const stream = (
    <IngestCard live={live}>
      <Recommended channel={channel} />
    </IngestCard>
  );
  return (
    <>
      <Head channel={channel} />
      <Labels channel={channel} />
      <Verdict channel={channel} />
      {isOld(channel) && <OwnerNote channel={channel} />}
      <FirstSteps key={channel.channelId} channel={channel} />
      <div class="columns">
        <div class="column-main">
          <Platforms live={live} />
        </div>
        <div class="column-side">
          {isStreamFirst && stream}
          <EncoderCard channel={channel} />
          {!isStreamFirst && stream}
          <SourceOpener key={channel.channelId} channel={channel} />
          <Schedules key={channel.channelId} channel={channel} />
          <ChannelSettings key={channel.channelId} channel={channel} />
        </div>
        <div class="column-main">
          <Timeline channel={channel} />
          <Reports channel={channel} />
          <Recordings channel={channel} />
        </div>
      </div>
    </>
  );
}

const PATH = "/re-stream/channels/{channelId}";
type Question = "end" | "block" | "delete" | "rename";

function Head({ channel }: { readonly channel: Channel }) {
  const question = useSignal<Question | undefined>(undefined);
  const close = (): void => {
    question.value = undefined;
  };
  const of = ofChannel(channel.channelId);
  const isBlocked = channel.channelStatus === "BLOCK";
  const canEnd = channel.isPublishing && channel.ingest?.state !== "HELD";
  const remove = async (): Promise<void> => {
    await api.DELETE(PATH, of);
    // A person who went on to another page meanwhile stays there.
    if (location.pathname === at(`/channels/${channel.channelId}`)) go("/");
    forgetChannel(channel.channelId);
  };
  const words = t().channel;
  const questions = {
    end: { title: words.end, text: words.endSure, run: () => api.POST(`${PATH}/end`, of) },
    block: { title: words.block, text: words.blockSure, run: () => api.PUT(`${PATH}/off`, of) },
    delete: { title: words.delete, text: words.deleteSure(channel.channelName), run: remove },
  };
  return (
    <div class="page-head">
      <a class="back" href={at("/")} aria-label={t().app.home}>
        <Icon name="back" />
      </a>
      <h1 tabIndex={-1}>{channel.channelName}</h1>
      <span role="status">
        <State look={channelLook(channel)} />
      </span>
      <OnAirTime channel={channel} />
      <div class="page-actions">
        <button
          type="button"
          class={canEnd ? "danger" : ""}
          disabled={!canEnd}
          onClick={() => (question.value = "end")}
        >
          {words.end}
        </button>
        <button type="button" onClick={() => (question.value = "rename")}>
          {words.rename}
        </button>
        {isBlocked ? (
          <Action run={() => api.PUT(`${PATH}/on`, of)}>{words.unblock}</Action>
        ) : (
          <button type="button" onClick={() => (question.value = "block")}>
            {words.block}
          </button>
        )}
        <button
          type="button"
          disabled={channel.isPublishing}
          title={channel.isPublishing ? words.deleteOnAir : undefined}
          onClick={() => (question.value = "delete")}
        >
          {words.delete}
        </button>
      </div>
      {question.value === "rename" && <RenameChannel channel={channel} onClose={close} />}
      {question.value !== undefined && question.value !== "rename" && (
        <Confirm {...questions[question.value]} onClose={close} />
      )}
    </div>
  );
}

function OnAirTime({ channel }: { readonly channel: Channel }) {
  const since = channel.recentPublishStartTime;
  if (!channel.isPublishing || since === undefined) return null;
  return (
    <span class="on-air-time" title={t().overview.onAirSince(formatMoment(since))}>
      {formatClock((now.value - since) / 1_000)}
    </span>
  );
}

function Platforms({ live }: { readonly live: LiveChannel }) {
  const opened = useSignal<"add" | "import" | undefined>(undefined);
  const close = (): void => {
    opened.value = undefined;
  };
  const channel = live.channel.value;
  return (
    <section class="panel" aria-labelledby="platforms-title">
      <div class="panel-head">
        <h2 id="platforms-title">{t().channel.platforms}</h2>
        <div class="page-actions">
          <button type="button" onClick={() => (opened.value = "import")}>
            {t().channel.importPlatforms}
          </button>
          <button type="button" class="main" onClick={() => (opened.value = "add")}>
            <Icon name="plus" /> {t().channel.addPlatform}
          </button>
        </div>
      </div>
      {channel.platforms.length === 0 && <p class="quiet">{t().channel.noPlatforms}</p>}
      <ul class="platforms">
        {channel.platforms.map((platform) => (
          <PlatformRow key={platform.platId} live={live} platform={platform} />
        ))}
      </ul>
      {opened.value === "add" && <AddPlatform channelId={channel.channelId} onClose={close} />}
      {opened.value === "import" && <ImportPlatforms channelId={channel.channelId} onClose={close} />}
    </section>
  );
}
