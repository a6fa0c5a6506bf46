import { useId } from "preact/hooks";
import { LABEL_CHARACTERS_MAX } from "../../base/labels.ts";
import { allLabels } from "../../live/labels.ts";
import { t } from "../../text/text.ts";
import { Dialog } from "../basic/dialog.tsx";
import { checkText } from "../basic/field-checks.ts";
import { type Fields, Form, TextField } from "../basic/form.tsx";

type AddLabelOptions = { readonly add: (label: string) => Promise<unknown>; readonly onClose: () => void };

/** Asks for a label and adds it. */
export function AddLabel({ add, onClose }: AddLabelOptions) {
  return (
    <Dialog title={t().labels.add} onClose={onClose}>
      <LabelForm button={t().common.add} submit={add} onClose={onClose} />
    </Dialog>
  );
}

type LabelFormOptions = {
  readonly button: string;
  readonly submit: (label: string) => Promise<unknown>;
  readonly onClose: () => void;
};

/** Asks for one label. Those that are in use are offered. */
export function LabelForm({ button, submit, onClose }: LabelFormOptions) {
  const listId = useId();
  return (
    <Form submit={(field: Fields) => submit(field("label").trim())} button={button} onClose={onClose}>
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
