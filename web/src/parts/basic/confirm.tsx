import type { ComponentChildren } from "preact";
import { Dialog } from "./dialog.tsx";
import { Form } from "./form.tsx";

type ConfirmOptions = {
  readonly title: string;
  readonly text: string;
  readonly run: () => Promise<unknown>;
  readonly onClose: () => void;
  /** What a person chooses first. */
  readonly children?: ComponentChildren;
};

/** Asks before something that cannot be undone. A failure leaves the dialog open, and is said in it: what is behind it is covered. */
export function Confirm({ title, text, run, onClose, children }: ConfirmOptions) {
  return (
    <Dialog title={title} onClose={onClose}>
      <p>{text}</p>
      <Form submit={run} button={title} kind="danger" onClose={onClose}>
        {children}
      </Form>
    </Dialog>
  );
}
