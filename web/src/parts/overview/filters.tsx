import { HEALTH_ORDER } from "../../base/health.ts";
import { allLabels } from "../../live/labels.ts";
import { formatNumber } from "../../text/format.ts";
import { t } from "../../text/text.ts";
import { Icon } from "../basic/icon.tsx";
import { healthLook } from "../basic/state.tsx";
import { platformName } from "../platform/presets.ts";
import { SORTS } from "./order.ts";
import {
  healthCounts,
  labelFilter,
  nameFilter,
  platformFilter,
  selection,
  setSort,
  setView,
  sort,
  stateFilter,
  targetNames,
  VIEWS,
  view,
} from "./view-state.ts";

/** Which channels are shown, in which order and how. */
export function Filters() {
  const texts = t().overview;
  return (
    <div class="filters">
      <StateFilter />
      <label class="search">
        <Icon name="search" />
        <span class="visually-hidden">{texts.search}</span>
        <input
          type="search"
          placeholder={texts.search}
          value={nameFilter.value}
          onInput={(event) => (nameFilter.value = event.currentTarget.value)}
        />
      </label>
      <PlatformFilter />
      <LabelFilter />
      <select
        aria-label={texts.sort}
        name="sort"
        onChange={(event) => setSort(SORTS.find((each) => each === event.currentTarget.value) ?? "urgency")}
      >
        {SORTS.map((each) => (
          <option key={each} value={each} selected={sort.value === each}>
            {texts.sorts[each]}
          </option>
        ))}
      </select>
      <fieldset class="segments">
        <legend class="visually-hidden">{texts.view}</legend>
        {VIEWS.map((each) => (
          <button key={each} type="button" aria-pressed={view.value === each} onClick={() => setView(each)}>
            {texts.views[each]}
          </button>
        ))}
      </fieldset>
      <button
        type="button"
        aria-pressed={selection.value !== undefined}
        onClick={() => (selection.value = selection.value === undefined ? new Set() : undefined)}
      >
        {texts.select}
      </button>
    </div>
  );
}

/** The verdicts that channels have, with their counts: a press shows only those channels, a second press all. */
function StateFilter() {
  const counts = healthCounts.value;
  const offered = HEALTH_ORDER.filter((state) => counts[state] > 0 || stateFilter.value === state);
  return (
    <fieldset class="state-filter">
      <legend class="visually-hidden">{t().overview.state}</legend>
      {offered.map((state) => {
        const look = healthLook(state);
        const isChosen = stateFilter.value === state;
        return (
          <button
            key={state}
            type="button"
            class={`tone-${look.tone}`}
            data-health={state}
            aria-pressed={isChosen}
            onClick={() => (stateFilter.value = isChosen ? undefined : state)}
          >
            <Icon name={look.icon} /> {look.word} <b>{formatNumber(counts[state])}</b>
          </button>
        );
      })}
    </fieldset>
  );
}

function PlatformFilter() {
  const chosen = platformFilter.value;
  return (
    <select
      aria-label={t().overview.platform}
      name="platform"
      onChange={(event) => (platformFilter.value = event.currentTarget.value || undefined)}
    >
      <option value="" selected={chosen === undefined}>
        {t().overview.allPlatforms}
      </option>
      {targetNames.value.map((targetName) => (
        <option key={targetName} value={targetName} selected={chosen === targetName}>
          {platformName({ targetName })}
        </option>
      ))}
    </select>
  );
}

/** Absent while no channel has a label, unless one is chosen. */
function LabelFilter() {
  const chosen = labelFilter.value;
  const offered = [...new Set([...allLabels.value, ...(chosen === undefined ? [] : [chosen])])];
  if (offered.length === 0) return null;
  return (
    <select
      aria-label={t().labels.filter}
      name="label"
      onChange={(event) => (labelFilter.value = event.currentTarget.value || undefined)}
    >
      <option value="" selected={chosen === undefined}>
        {t().labels.all}
      </option>
      {offered.map((label) => (
        <option key={label} value={label} selected={chosen === label}>
          {label}
        </option>
      ))}
    </select>
  );
}
