import { useSignal } from "@preact/signals";
import { call, channelPath } from "../../base/api.ts";
import { liveChannel } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { inBulk } from "./bulk.ts";
import { selectedIds, selection, shownIds } from "./view-state.ts";

const CALLS = {
  enable: (path: string) => call("PUT", `${path}/on`),
  end: (path: string) => call("POST", `${path}/end`),
  disable: (path: string) => call("PUT", `${path}/off`),
};
type Act = keyof typeof CALLS;
type Summary = {
  readonly act: Act;
  readonly doneCount: number;
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
};

/** What can be done to the selected channels, and what happened. */
export function SelectionBar() {
  const question = useSignal<"end" | "disable" | undefined>(undefined);
  const summary = useSignal<Summary | undefined>(undefined);
  const ids = selectedIds.value;
  const texts = t().overview;
  const run = async (act: Act): Promise<void> => {
    summary.value = undefined;
    const channels = ids.map((id) => ({ id, name: liveChannel(id)?.channel.peek().channelName ?? id }));
    const { doneCount, failures } = await inBulk(channels, ({ id }) => CALLS[act](channelPath(id)));
    // What failed stays selected, to be tried again.
    selection.value = new Set(failures.map(({ subject }) => subject.id));
    summary.value = {
      act,
      doneCount,
      failed: failures.map(({ subject, error }) => ({ name: subject.name, error })),
    };
  };
  const areAllSelected = ids.length === shownIds.value.length;
  const isDisabled = ids.length === 0;
  return (
    <section class="panel selection" aria-label={texts.selection}>
      <div class="buttons">
        <b role="status">{texts.selected(ids.length)}</b>
        <button
          type="button"
          onClick={() => {
            selection.value = new Set(areAllSelected ? [] : shownIds.value);
          }}
        >
          {areAllSelected ? texts.selectNone : texts.selectAll(shownIds.value.length)}
        </button>
        <Action run={() => run("enable")} isDisabled={isDisabled}>
          {texts.acts.enable}
        </Action>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "end")}>
          {texts.acts.end}
        </button>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "disable")}>
          {texts.acts.disable}
        </button>
      </div>
      <div role="status">{summary.value !== undefined && <SummaryText summary={summary.value} />}</div>
      {question.value !== undefined && (
        <AskFirst
          act={question.value}
          count={ids.length}
          run={run}
          onClose={() => {
            question.value = undefined;
          }}
        />
      )}
    </section>
  );
}

type AskFirstOptions = {
  readonly act: "end" | "disable";
  readonly count: number;
  readonly run: (act: Act) => Promise<void>;
  readonly onClose: () => void;
};

function AskFirst({ act, count, run, onClose }: AskFirstOptions) {
  const texts = t().overview;
  return <Confirm title={texts.acts[act]} text={texts.sure[act](count)} run={() => run(act)} onClose={onClose} />;
}

function SummaryText({ summary: { act, doneCount, failed } }: { readonly summary: Summary }) {
  const texts = t().overview;
  return (
    <>
      <p class="selection-summary">
        {texts.done[act](doneCount)}
        {failed.length > 0 && ` ${texts.failedCount(failed.length)}`}
      </p>
      {failed.length > 0 && (
        <ul class="selection-failures">
          {failed.map(({ name, error }) => (
            <li key={name}>
              <b>{name}</b>: {problemText(error)}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
