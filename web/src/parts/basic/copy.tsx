import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../../text/text.ts";

type SecretOptions = {
  readonly label: string;
  readonly value: string;
  readonly help?: string;
  /** Shown as dots until asked. */
  readonly isSecret?: boolean;
};

/** A value to take along: shown, or hidden until asked, with a button that copies it. */
export function CopyField({ label, value, help, isSecret = false }: SecretOptions) {
  const isShown = useSignal(!isSecret);
  const outcome = useSignal<"copied" | "not-copied" | undefined>(undefined);
  const place = useRef<HTMLDivElement>(null);
  const copy = async (): Promise<void> => {
    outcome.value = (await copyText(value, place.current)) ? "copied" : "not-copied";
    // It is to be seen before it is selected.
    if (outcome.value === "not-copied") isShown.value = true;
    else setTimeout(() => (outcome.value = undefined), 1_500);
  };
  useEffect(() => {
    const text = place.current?.querySelector("code");
    if (outcome.value === "not-copied" && text) getSelection()?.selectAllChildren(text);
  }, [outcome.value]);
  const said = { copied: t().common.copied, "not-copied": t().common.notCopied }[outcome.value ?? "copied"];
  return (
    <div class="copy-field" ref={place}>
      <span class="copy-label">
        {label}
        {help !== undefined && <span class="help"> · {help}</span>}
      </span>
      <code class="copy-value">{isShown.value ? value : "•".repeat(12)}</code>
      {isSecret ? (
        <button
          type="button"
          aria-label={`${isShown.value ? t().common.hide : t().common.show}: ${label}`}
          onClick={() => (isShown.value = !isShown.value)}
        >
          {isShown.value ? t().common.hide : t().common.show}
        </button>
      ) : (
        <span />
      )}
      <button type="button" aria-label={`${t().common.copy}: ${label}`} onClick={() => void copy()}>
        {t().common.copy}
      </button>
      <span class="visually-hidden" role="status">
        {outcome.value === undefined ? "" : said}
      </span>
      {outcome.value !== undefined && (
        <span class={`copied ${outcome.value}`} aria-hidden="true">
          {said}
        </span>
      )}
    </div>
  );
}

/**
 * Whether it is in the clipboard now. The browser's clipboard needs a secure page and may refuse; a server in the house is often reached by
 * plain http. The old way needs a selection, and in an open dialog nothing outside it can be selected.
 */
async function copyText(text: string, place: Element | null): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const opener = document.activeElement;
    const area = document.createElement("textarea");
    area.value = text;
    (place?.closest("dialog") ?? document.body).append(area);
    area.select();
    const isCopied = document.execCommand("copy");
    area.remove();
    if (opener instanceof HTMLElement) opener.focus();
    return isCopied;
  }
}
