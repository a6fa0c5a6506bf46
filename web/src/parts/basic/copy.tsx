import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../text/text.ts";
import { copyText } from "./clipboard.ts";

/** How long "Copied" is shown, in milliseconds. */
const COPIED_MS = 1_500;

type CopyButtonOptions = {
  readonly label: string;
  readonly value: () => string;
  /** Called when the browser refused to copy: shows and selects the value. */
  readonly onRefused: () => void;
};

/** A button that copies a value, with what became of it below. */
export function CopyButton({ label, value, onRefused }: CopyButtonOptions) {
  const outcome = useSignal<"copied" | "not-copied" | undefined>(undefined);
  const button = useRef<HTMLButtonElement>(null);
  const copy = async (): Promise<void> => {
    outcome.value = (await copyText(value(), button.current)) ? "copied" : "not-copied";
    if (outcome.value === "not-copied") onRefused();
    else setTimeout(() => (outcome.value = undefined), COPIED_MS);
  };
  const result = { copied: t().common.copied, "not-copied": t().common.notCopied }[outcome.value ?? "copied"];
  return (
    <>
      <button ref={button} type="button" aria-label={`${t().common.copy}: ${label}`} onClick={() => void copy()}>
        {t().common.copy}
      </button>
      <span class="visually-hidden" role="status">
        {outcome.value === undefined ? "" : result}
      </span>
      {outcome.value !== undefined && (
        <span class={`copied ${outcome.value}`} aria-hidden="true">
          {result}
        </span>
      )}
    </>
  );
}

type ShowButtonOptions = { readonly label: string; readonly isShown: boolean; readonly onToggle: () => void };

/** A button that shows a hidden value, and hides it again. */
export function ShowButton({ label, isShown, onToggle }: ShowButtonOptions) {
  const word = isShown ? t().common.hide : t().common.show;
  return (
    <button type="button" aria-label={`${word}: ${label}`} onClick={onToggle}>
      {word}
    </button>
  );
}

type CopyFieldOptions = {
  readonly label: string;
  readonly value: string;
  readonly help?: string;
  /** Hidden until asked for: not even in the page's HTML. */
  readonly isSecret?: boolean;
};

/** A value to copy, which a person may have to show first. */
export function CopyField({ label, value, help, isSecret = false }: CopyFieldOptions) {
  const isShown = useSignal(!isSecret);
  const isSelected = useSignal(false);
  const place = useRef<HTMLElement>(null);
  const select = (): void => {
    // Only a value that is shown can be selected.
    isShown.value = true;
    isSelected.value = true;
  };
  useEffect(() => {
    if (isSelected.value && place.current) getSelection()?.selectAllChildren(place.current);
  }, [isSelected.value]);
  return (
    <div class="copy-field">
      <span class="copy-label">
        {label}
        {help !== undefined && <span class="help"> · {help}</span>}
      </span>
      <code ref={place} class="copy-value">
        {isShown.value ? value : "•".repeat(12)}
      </code>
      {isSecret ? (
        <ShowButton label={label} isShown={isShown.value} onToggle={() => (isShown.value = !isShown.value)} />
      ) : (
        <span />
      )}
      <CopyButton label={label} value={() => value} onRefused={select} />
    </div>
  );
}
