import { signal } from "@preact/signals";

type Notice = { readonly text: string; readonly tone: "good" | "bad" };

/** How long a notice is shown, in milliseconds; one of a failure longer. */
const SHOWN_MS = { good: 3_000, bad: 9_000 } as const;

const notice = signal<Notice | undefined>(undefined);
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Tells something in passing, also to screen readers. */
export function say(text: string, tone: Notice["tone"] = "good"): void {
  clearTimeout(hiding);
  notice.value = { text, tone };
  hiding = setTimeout(() => {
    notice.value = undefined;
  }, SHOWN_MS[tone]);
}

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice.value !== undefined && <p class={`notice tone-${notice.value.tone}`}>{notice.value.text}</p>}
    </div>
  );
}
