import { useSignal } from "@preact/signals";
import { type ChannelPath, call, channelPath } from "../../base/api.ts";
import { liveChannel } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { inBulk } from "./bulk.ts";
import { addLabel, LabelSelected, removeLabel } from "./label-selected.tsx";
import { selectedIds, selection, shownIds } from "./view-state.ts";

const CALLS = {
  enable: (path: ChannelPath) => call("PUT", `${path}/on`),
  end: (path: ChannelPath) => call("POST", `${path}/end`),
  disable: (path: ChannelPath) => call("PUT", `${path}/off`),
};
type Act = keyof typeof CALLS;
type Summary = {
  /** What was done to this many channels. */
  readonly done: (number: number) => string;
  readonly doneCount: number;
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
};

/** What can be done to the selected channels, and what happened. */
export function SelectionBar() {
  const question = useSignal<"end" | "disable" | "labels" | undefined>(undefined);
  const summary = useSignal<Summary | undefined>(undefined);
  const ids = selectedIds.value;
  const texts = t().overview;
  const run = async (act: (channelId: string) => Promise<unknown>, done: Summary["done"]): Promise<void> => {
    summary.value = undefined;
    const channels = ids.map((id) => ({ id, name: liveChannel(id)?.channel.peek().channelName ?? id }));
    const { doneCount, failures } = await inBulk(channels, ({ id }) => act(id));
    // What failed stays selected, to be tried again.
    selection.value = new Set(failures.map(({ subject }) => subject.id));
    summary.value = {
      done,
      doneCount,
      failed: failures.map(({ subject, error }) => ({ name: subject.name, error })),
    };
  };
  const runCall = (act: Act): Promise<void> => run((id) => CALLS[act](channelPath(id)), texts.done[act]);
  const close = (): void => {
    question.value = undefined;
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
        <Action run={() => runCall("enable")} isDisabled={isDisabled}>
          {texts.acts.enable}
        </Action>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "end")}>
          {texts.acts.end}
        </button>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "disable")}>
          {texts.acts.disable}
        </button>
        <button type="button" disabled={isDisabled} onClick={() => (question.value = "labels")}>
          {t().labels.edit}
        </button>
      </div>
      <div role="status">{summary.value !== undefined && <SummaryText summary={summary.value} />}</div>
      {question.value === "labels" && (
        <LabelSelected
          ids={ids}
          add={(label) => run((id) => addLabel(id, label), t().labels.added)}
          remove={(label) => run((id) => removeLabel(id, label), t().labels.removed)}
          onClose={close}
        />
      )}
      {question.value !== undefined && question.value !== "labels" && (
        <AskFirst act={question.value} count={ids.length} run={runCall} onClose={close} />
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

function SummaryText({ summary: { done, doneCount, failed } }: { readonly summary: Summary }) {
  const texts = t().overview;
  return (
    <>
      <p class="selection-summary">
        {done(doneCount)}
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
