import { useSignal } from "@preact/signals";
import { api, content, ofChannel } from "../../base/api.ts";
import { LABELS_MAX, withoutLabel } from "../../base/labels.ts";
import type { Channel } from "../../base/model.ts";
import { showParts } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action, useInOrder } from "../basic/action.tsx";
import { Icon } from "../basic/icon.tsx";
import { lazy } from "../basic/lazy.tsx";

const AddLabel = lazy(async () => (await import("./label-form.tsx")).AddLabel);

type Labels = readonly string[];

/** Replaces the labels of a channel by what `change` makes of those that the server has now: the live stream may be a moment behind. */
export async function changeLabels(channelId: string, change: (present: Labels) => Labels): Promise<void> {
  const path = "/re-stream/channels/{channelId}";
  const present = await content(api.GET(path, ofChannel(channelId)));
  const body = { labels: [...change(present.labels ?? [])] };
  await showParts(channelId, content(api.PUT(path, { ...ofChannel(channelId), body })), "labels");
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
        <AddLabel
          add={(label) => inOrder(() => changeLabels(channelId, (present) => [...present, label]))}
          onClose={() => (isAdding.value = false)}
        />
      )}
    </section>
  );
}
