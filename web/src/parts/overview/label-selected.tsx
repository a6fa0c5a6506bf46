import { useEffect, useRef } from "preact/hooks";
import { hasLabel, LABELS_MAX, withoutLabel } from "../../base/labels.ts";
import { allLabels } from "../../live/labels.ts";
import { liveChannel } from "../../live/store.ts";
import { t } from "../../text/text.ts";
import { Action } from "../basic/action.tsx";
import { Dialog } from "../basic/dialog.tsx";
import { LabelForm } from "../channel/label-form.tsx";
import { changeLabels } from "../channel/labels.tsx";

/** Adds a label to a channel that does not have it. */
export async function addLabel(channelId: string, label: string): Promise<void> {
  const channel = liveChannel(channelId)?.channel.peek();
  if (channel === undefined || hasLabel(channel, label)) return;
  const { labels = [] } = channel;
  if (labels.length >= LABELS_MAX) throw new Error(t().labels.limit(LABELS_MAX));
  await changeLabels(channelId, (present) => [...present, label]);
}

/** Removes a label, in any case, from a channel that has it. */
export async function removeLabel(channelId: string, label: string): Promise<void> {
  const channel = liveChannel(channelId)?.channel.peek();
  if (channel === undefined || !hasLabel(channel, label)) return;
  await changeLabels(channelId, (present) => withoutLabel(present, label));
}

type LabelSelectedOptions = {
  readonly ids: readonly string[];
  readonly add: (label: string) => Promise<unknown>;
  readonly remove: (label: string) => Promise<unknown>;
  readonly onClose: () => void;
};

/** Adds a label to the selected channels, or removes one that some of them have. */
export function LabelSelected({ ids, add, remove, onClose }: LabelSelectedOptions) {
  const texts = t().labels;
  const used = allLabels.value.filter((label) =>
    ids.some((id) => hasLabel(liveChannel(id)?.channel.value ?? {}, label)),
  );
  const isOpen = useRef(true);
  useEffect(
    () => () => {
      isOpen.current = false;
    },
    [],
  );
  const removeAndClose = async (label: string): Promise<void> => {
    await remove(label);
    if (isOpen.current) onClose();
  };
  return (
    <Dialog title={texts.ofSelected(ids.length)} onClose={onClose}>
      <LabelForm button={texts.add} submit={add} onClose={onClose} />
      {used.length > 0 && (
        <section class="labels" aria-label={texts.removeSelected}>
          <h3>{texts.removeSelected}</h3>
          <div class="buttons">
            {used.map((label) => (
              <Action key={label} label={texts.remove(label)} run={() => removeAndClose(label)}>
                {label}
              </Action>
            ))}
          </div>
        </section>
      )}
    </Dialog>
  );
}
