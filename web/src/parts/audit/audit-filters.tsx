import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { AuditAction } from "../../../../src/api-contract/audit/audit-actions.ts";
import { api, page } from "../../base/api.ts";
import type { AccessKey } from "../../base/model.ts";
import { allChannels } from "../../live/store.ts";
import { panelTexts } from "../../text/text.ts";
import type { Filter } from "./audit-query.ts";

/** Narrows the list by channel, change, person and days. */
export function AuditFilters({ filter }: { readonly filter: Signal<Filter> }) {
  const keys = useSignal<readonly AccessKey[]>([]);
  useEffect(() => {
    // Without the list of keys the other filters work.
    page(api.GET("/access-keys")).then(
      ({ items }) => {
        keys.value = items;
      },
      () => undefined,
    );
  }, []);
  const texts = panelTexts().audit;
  const set = (change: Partial<Filter>): void => {
    filter.value = { ...filter.peek(), ...change };
  };
  const named = allChannels.value.map(({ channel }) => channel.value);
  return (
    <div class="filters">
      <Choice label={texts.channel} all={texts.allChannels} set={(channelId) => set({ channelId })}>
        {named.map(({ channelId, channelName }) => [channelId, channelName] as const)}
      </Choice>
      <Choice label={texts.action} all={texts.allActions} set={(action) => set({ action })}>
        {(Object.keys(texts.actions) as AuditAction[]).map((action) => [action, texts.actions[action]] as const)}
      </Choice>
      <Choice label={texts.actor} all={texts.allActors} set={(actor) => set({ actor })}>
        {[
          ["dashboard", texts.actors.session],
          ...keys.value.map(({ accessKey, name }) => [accessKey, name || accessKey] as const),
        ]}
      </Choice>
      <Day label={texts.from} set={(fromDay) => set({ fromDay })} />
      <Day label={texts.to} set={(toDay) => set({ toDay })} />
    </div>
  );
}

type ChoiceOptions<Value extends string> = {
  readonly label: string;
  readonly all: string;
  readonly set: (value: Value | "") => void;
  /** Values with their names. */
  readonly children: readonly (readonly [value: Value, name: string])[];
};

function Choice<Value extends string>({ label, all, set, children }: ChoiceOptions<Value>) {
  const choose = (text: string): void => set(children.find(([value]) => value === text)?.[0] ?? "");
  return (
    <select aria-label={label} onChange={(event) => choose(event.currentTarget.value)}>
      <option value="">{all}</option>
      {children.map(([value, name]) => (
        <option key={value} value={value}>
          {name}
        </option>
      ))}
    </select>
  );
}

function Day({ label, set }: { readonly label: string; readonly set: (day: string) => void }) {
  return (
    <label class="day">
      {label}
      <input type="date" onChange={(event) => set(event.currentTarget.value)} />
    </label>
  );
}
