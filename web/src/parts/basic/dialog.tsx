import type { ComponentChildren } from "preact";
import { useEffect, useId, useRef } from "preact/hooks";
import { t } from "../../text/text.ts";
import { Icon } from "./icon.tsx";

type DialogOptions = {
  readonly title: string;
  readonly onClose: () => void;
  readonly children: ComponentChildren;
  readonly isWide?: boolean;
};

/** A modal dialog: the browser keeps the focus inside, returns it afterwards, and closes the dialog on Escape. */
export function Dialog({ title, onClose, children, isWide = false }: DialogOptions) {
  const element = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  useEffect(() => {
    const opener = document.activeElement;
    element.current?.showModal();
    // A dialog that begins with a text is for typing, also where nothing else has the focus first.
    const first = element.current?.querySelector<HTMLElement>(".dialog-body :is(input, textarea, select, button)");
    if (first?.matches("input:not([type=radio], [type=checkbox]), textarea")) first.focus();
    return () => {
      if (opener instanceof HTMLElement && opener.isConnected) opener.focus();
    };
  }, []);
  return (
    <dialog ref={element} class={isWide ? "dialog wide" : "dialog"} aria-labelledby={titleId} onClose={onClose}>
      <header class="dialog-head">
        <h2 id={titleId}>{title}</h2>
        <button type="button" class="plain" aria-label={t().common.close} onClick={onClose}>
          <Icon name="cross" />
        </button>
      </header>
      <div class="dialog-body">{children}</div>
    </dialog>
  );
}
