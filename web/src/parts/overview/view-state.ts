import { computed, signal } from "@preact/signals";
import { countHealth, type HealthState } from "../../base/health.ts";
import { keep, recall } from "../../base/kept.ts";
import type { Channel } from "../../base/model.ts";
import { allChannels, type LiveChannel, liveChannel } from "../../live/store.ts";
import { matches, SORTS, type Sort, sorted } from "./order.ts";

export const VIEWS = ["cards", "list"] as const;
export type View = (typeof VIEWS)[number];
const VIEW_KEPT_AS = "fanfare-view";
const SORT_KEPT_AS = "fanfare-sort";

const keptView = recall(VIEW_KEPT_AS);
const keptSort = recall(SORT_KEPT_AS);
/** Cards or a list, as this browser last had it. */
export const view = signal<View>(VIEWS.find((each) => each === keptView) ?? "cards");
/** The order, as this browser last had it. */
export const sort = signal<Sort>(SORTS.find((each) => each === keptSort) ?? "urgency");

export function setView(next: View): void {
  keep(VIEW_KEPT_AS, next);
  view.value = next;
}

export function setSort(next: Sort): void {
  keep(SORT_KEPT_AS, next);
  sort.value = next;
}

export const nameFilter = signal("");
export const stateFilter = signal<HealthState | undefined>(undefined);
export const platformFilter = signal<string | undefined>(undefined);
export const labelFilter = signal<string | undefined>(undefined);
/** The channels a person ticked. Absent while nobody selects. */
export const selection = signal<ReadonlySet<string> | undefined>(undefined);

export function clearFilters(): void {
  nameFilter.value = "";
  stateFilter.value = undefined;
  platformFilter.value = undefined;
  labelFilter.value = undefined;
}

const channelOf = ({ channel }: LiveChannel): Channel => channel.value;

/** How many channels have each verdict, filtered or not. */
export const healthCounts = computed(() => countHealth(allChannels.value.map((live) => channelOf(live).health.state)));

/** How many channels are on air. One that is broken may be off air: its source fails. */
export const onAirCount = computed(() => allChannels.value.filter((live) => channelOf(live).isPublishing).length);

/** The names of all platforms in use, sorted. One text, so that a change of a channel renders only what it changes. */
const targetNamesText = computed(() =>
  [...new Set(allChannels.value.flatMap((live) => channelOf(live).platforms.map(({ targetName }) => targetName)))]
    .sort()
    .join(" "),
);
export const targetNames = computed(() => targetNamesText.value.split(" ").filter((name) => name !== ""));

/** The ids of the channels that are shown, in their order, as one text: the page renders again only when that changes. */
const shownText = computed(() => {
  const filter = {
    name: nameFilter.value,
    state: stateFilter.value,
    targetName: platformFilter.value,
    label: labelFilter.value,
  };
  const shown = allChannels.value.map(channelOf).filter((channel) => matches(channel, filter));
  return sorted(shown, sort.value)
    .map(({ channelId }) => channelId)
    .join(" ");
});
export const shownIds = computed(() => shownText.value.split(" ").filter((id) => id !== ""));

/** The ticked channels among those that are shown: nothing is done to a channel that a person does not see. */
export const selectedIds = computed(() => shownIds.value.filter((id) => selection.value?.has(id) === true));

export const shownChannels = computed(() =>
  shownIds.value.flatMap((id) => {
    const live = liveChannel(id);
    return live === undefined ? [] : [live];
  }),
);

export function toggleSelected(channelId: string): void {
  const next = new Set(selection.peek());
  if (!next.delete(channelId)) next.add(channelId);
  selection.value = next;
}
