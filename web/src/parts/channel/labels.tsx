import { useSignal } from "@preact/signals";
import { useId } from "preact/hooks";
import { api, content, ofChannel } from "../../base/api.ts";
import { LABEL_CHARACTERS_MAX, LABELS_MAX, withoutLabel } from "../../base/labels.ts";
import type { Channel } from "../../base/model.ts";
import { allLabels } from "../../live/labels.ts";
import { showPart } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, useInOrder } from "../basic/action.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { checkText } from "../basic/field-checks.ts";
import { type Fields, Form, TextField } from "../basic/form.tsx";
import { Icon } from "../basic/icon.tsx";

type Labels = readonly string[];

/** Replaces the labels of a channel by what `change` makes of those that the server has now: the live stream may be a moment behind. */
export async function changeLabels(channelId: string, change: (present: Labels) => Labels): Promise<void> {
  const path = "/re-stream/channels/{channelId}";
  const present = await content(api.GET(path, ofChannel(channelId)));
  const body = { labels: [...change(present.labels ?? [])] };
  const { labels = [] } = await content(api.PUT(path, { ...ofChannel(channelId), body }));
  showPart(channelId, { labels });
}

/** The channel's labels, each with a button that removes it, and a button that adds one. */
export function Labels({ channel }: { readonly channel: Channel }) {
  const isAdding = useSignal(false);
  const inOrder = useInOrder();
  const { channelId, labels = [] } = channel;
  const texts = t().labels;
  const isFull = labels.length >= LABELS_MAX;
  return (
    <section class="labels" aria-label={texts.title}>
      <ul class="chips">
        {labels.map((label) => (
          <li key={label} class="chip">
            {label}
            <Action
              kind="plain"
              label={texts.remove(label)}
              run={() => inOrder(() => changeLabels(channelId, (present) => withoutLabel(present, label)))}
            >
              <Icon name="cross" />
            </Action>
          </li>
        ))}
      </ul>
      <button
        type="button"
        class="plain"
        disabled={isFull}
        title={isFull ? texts.limit(LABELS_MAX) : undefined}
        onClick={() => (isAdding.value = true)}
      >
        <Icon name="plus" /> {texts.add}
      </button>
      {isAdding.value && (
        <Dialog title={texts.add} onClose={() => (isAdding.value = false)}>
          <LabelForm
            button={t().common.add}
            submit={async (label) => {
              await inOrder(() => changeLabels(channelId, (present) => [...present, label]));
              isAdding.value = false;
            }}
            onCancel={() => (isAdding.value = false)}
          />
        </Dialog>
      )}
    </section>
  );
}

type LabelFormOptions = {
  readonly button: string;
  readonly submit: (label: string) => Promise<unknown>;
  readonly onCancel: () => void;
};

/** Asks for one label. Those that are in use are offered. */
export function LabelForm({ button, submit, onCancel }: LabelFormOptions) {
  const listId = useId();
  return (
    <Form submit={(field: Fields) => submit(field("label").trim())} button={button} onCancel={onCancel}>
      <TextField
        label={t().labels.name}
        name="label"
        help={t().labels.help(LABEL_CHARACTERS_MAX)}
        isRequired
        check={(value) => (value.trim() === "" ? t().problems.missing : checkText(LABEL_CHARACTERS_MAX)(value))}
        input={{ list: listId, autofocus: true }}
      />
      <datalist id={listId}>
        {allLabels.value.map((label) => (
          <option key={label} value={label} />
        ))}
      </datalist>
    </Form>
  );
}
