import type { ComponentChildren } from "preact";
import { t } from "../../text/text.ts";
import { Action } from "./action.tsx";
import { Dialog } from "./dialog.tsx";

type ConfirmOptions = {
  readonly title: string;
  readonly text: string;
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
  /** What a person chooses first. */
  readonly children?: ComponentChildren;
};

/** Asks before something that cannot be undone. A failure leaves the dialog open. */
export function Confirm({ title, text, run, onClose, children }: ConfirmOptions) {
  const confirm = async (): Promise<void> => {
    await run();
    onClose();
  };
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      {children}
      <div class="buttons">
        <Action kind="danger" run={confirm}>
          {title}
        </Action>
        <button type="button" onClick={onClose}>
          {t().common.cancel}
        </button>
      </div>
    </Dialog>
  );
}
