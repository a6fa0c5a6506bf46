import { useSignal } from "@preact/signals";
import { api, ofChannel } from "../../base/api.ts";
import { liveChannel } from "../../live/store.ts";
import { panelTexts, t } from "../../text/text.ts";
import { Action, problemText } from "../basic/action.tsx";
import { Confirm } from "../basic/confirm.tsx";
import { inBulk } from "./bulk.ts";
import { addLabel, LabelSelected, removeLabel } from "./label-selected.tsx";
import { selectedIds, selection, shownIds } from "./view-state.ts";

const CALLS = {
  start: (id: string) => api.POST("/re-stream/channels/{channelId}/source/start", ofChannel(id)),
  enable: (id: string) => api.PUT("/re-stream/channels/{channelId}/on", ofChannel(id)),
  end: (id: string) => api.POST("/re-stream/channels/{channelId}/end", ofChannel(id)),
  disable: (id: string) => api.PUT("/re-stream/channels/{channelId}/off", ofChannel(id)),
};
type Act = keyof typeof CALLS;
/** What is asked about first: it changes what viewers see. */
type AskedAct = Exclude<Act, "enable">;
type Summary = {
  /** What was done to this many channels, in the page's present language. */
  readonly done: (number: number) => string;
  readonly doneCount: number;
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
};

/** What can be done to the selected channels, and what happened. */
export function SelectionBar() {
  const question = useSignal<AskedAct | "labels" | undefined>(undefined);
  const summary = useSignal<Summary | undefined>(undefined);
  const ids = selectedIds.value;
  const texts = t().overview;
  const acts = panelTexts().bulk;
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
  const runCall = (act: Act): Promise<void> => run(CALLS[act], (number) => panelTexts().bulk.done[act](number));
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
        <button type="button" disabled={isDisabled} onClick={() => (question.value = "start")}>
          {acts.acts.start}
        </button>
        <Action run={() => runCall("enable")} isDisabled={isDisabled}>
          {acts.acts.enable}
        </Action>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "end")}>
          {acts.acts.end}
        </button>
        <button type="button" class="danger" disabled={isDisabled} onClick={() => (question.value = "disable")}>
          {acts.acts.disable}
        </button>
        <button type="button" disabled={isDisabled} onClick={() => (question.value = "labels")}>
          {t().labels.edit}
        </button>
      </div>
      <div role="status">{summary.value !== undefined && <SummaryText summary={summary.value} />}</div>
      {question.value === "labels" && (
        <LabelSelected
          ids={ids}
          add={(label) =>
            run(
              (id) => addLabel(id, label),
              (number) => t().labels.added(number),
            )
          }
          remove={(label) =>
            run(
              (id) => removeLabel(id, label),
              (number) => t().labels.removed(number),
            )
          }
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
  readonly act: AskedAct;
  readonly count: number;
  readonly run: (act: Act) => Promise<void>;
  readonly onClose: () => void;
};

function AskFirst({ act, count, run, onClose }: AskFirstOptions) {
  const texts = panelTexts().bulk;
  return <Confirm title={texts.acts[act]} text={texts.sure[act](count)} run={() => run(act)} onClose={onClose} />;
}

/** How many channels it was done to, and each reason why not with its channels. */
function SummaryText({ summary: { done, doneCount, failed } }: { readonly summary: Summary }) {
  const byReason = Map.groupBy(failed, ({ error }) => problemText(error));
  return (
    <>
      <p class="selection-summary">
        {done(doneCount)}
        {failed.length > 0 && ` ${panelTexts().bulk.failedCount(failed.length)}`}
      </p>
      {failed.length > 0 && (
        <ul class="selection-failures">
          {[...byReason].map(([reason, those]) => (
            <li key={reason}>
              <b>{those.map(({ name }) => name).join(", ")}</b>
              {those.length > 1 && ` (${t().overview.channels(those.length)})`}: {reason}
            </li>
          ))}
        </ul>
      )}
    </>
  );
}
