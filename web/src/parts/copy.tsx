import { useSignal } from "@preact/signals";
import { t } from "../text/text.ts";

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
  const isCopied = useSignal(false);
  const copy = async (): Promise<void> => {
    await copyText(value);
    isCopied.value = true;
    setTimeout(() => {
      isCopied.value = false;
    }, 1_500);
  };
  return (
    <div class="copy-field">
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
        {isCopied.value ? t().common.copied : ""}
      </span>
      {isCopied.value && (
        <span class="copied" aria-hidden="true">
          {t().common.copied}
        </span>
      )}
    </div>
  );
}

/** The clipboard needs a secure page; a server in the house is often reached by plain http. */
async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
