import { useSignal } from "@preact/signals";
import type { ComponentChildren } from "preact";
import { useEffect } from "preact/hooks";
import { at } from "../base/base-path.ts";
import { allChannels, hasSnapshot, returns } from "../live/store.ts";
import { Icon } from "../parts/basic/icon.tsx";
import { lazy } from "../parts/basic/lazy.tsx";
import { Card } from "../parts/overview/card.tsx";
import { Filters } from "../parts/overview/filters.tsx";
import { useSteadyOrder } from "../parts/overview/steady-order.ts";
import { clearFilters, onAirCount, selection, shownChannels, view } from "../parts/overview/view-state.ts";
import { readPresets } from "../parts/platform/presets.ts";
import { FirstSteps, FirstStepsWithoutChannel } from "../parts/start/first-steps.tsx";
import { t } from "../text/text.ts";

const SelectionBar = lazy(async () => (await import("../parts/overview/selection-bar.tsx")).SelectionBar);
const NewChannel = lazy(async () => (await import("./new-channel.tsx")).NewChannel);

/** Every channel at a glance, what is broken first. */
export function Overview() {
  const isCreating = useSignal(false);
  useEffect(() => void readPresets().catch(() => undefined), [returns.value]);
  useEffect(
    () => () => {
      selection.value = undefined;
    },
    [],
  );
  const channelCount = allChannels.value.length;
  /** The list of steps is about the channel that was created first, until another one was on air. */
  const [first, other] = allChannels.value
    .filter(({ channel }, index) => index === channelCount - 1 || channel.value.totalPublishSeconds > 0)
    .reverse();
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
        <PageCount channelCount={channelCount} />
        {channelCount > 0 && <div class="page-actions">{create}</div>}
      </div>
      {channelCount === 0 && <Empty create={create} />}
      {channelCount === 0 && <FirstStepsWithoutChannel onCreate={() => (isCreating.value = true)} />}
      {first !== undefined && other === undefined && (
        <FirstSteps key={first.channel.value.channelId} channel={first.channel.value} isOnOverview />
      )}
      {channelCount > 0 && <Filters />}
      {channelCount > 0 && selection.value !== undefined && <SelectionBar />}
      {channelCount > 0 && <Channels />}
      {isCreating.value && <NewChannel onClose={() => (isCreating.value = false)} />}
    </>
  );
}

function PageCount({ channelCount }: { readonly channelCount: number }) {
  return (
    <span class="page-count">
      {t().overview.channels(channelCount)} · {t().overview.onAirCount(onAirCount.value)}
    </span>
  );
}

function Channels() {
  const { shown, handlers } = useSteadyOrder(shownChannels.value);
  if (shown.length === 0) {
    return (
      <p class="quiet">
        {t().overview.noMatch}{" "}
        <button type="button" onClick={clearFilters}>
          {t().overview.clearFilters}
        </button>
      </p>
    );
  }
  return (
    <ul class={`cards as-${view.value}`} {...handlers}>
      {shown.map((live) => (
        <li key={live.channel.peek().channelId} class="card-place">
          <Card live={live} />
        </li>
      ))}
    </ul>
  );
}

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
