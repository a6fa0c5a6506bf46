import { signal } from "@preact/signals";
import type { PlatformSettings } from "../../base/model.ts";
import { language } from "../../text/text.ts";

type Notice = { readonly text: string; readonly tone: "good" | "bad" };

/** How long a notice is shown, in milliseconds. */
const SHOWN_MS = { good: 3_000, bad: 9_000 } as const;

const notice = signal<Notice | undefined>(undefined);
let hiding: ReturnType<typeof setTimeout> | undefined;

/** Shows a notice for some seconds, and announces it to screen readers. */
export function say(text: string, tone: Notice["tone"] = "good"): void {
  clearTimeout(hiding);
  notice.value = { text, tone };
  hiding = setTimeout(() => {
    notice.value = undefined;
  }, SHOWN_MS[tone]);
}

/** Shows the server's notes about an accepted request. */
export function sayNotes(notes: PlatformSettings["notes"] = []): void {
  if (notes.length > 0) say(notes.map(noteText).join(" "), "bad");
}

type Note = { readonly message?: string | undefined; readonly messageKo?: string | undefined };

/** A sentence from the server in the page's language, where there is one. */
export const noteText = <Given extends Note>({ message, messageKo }: Given): Given["message" | "messageKo"] =>
  language.value === "ko" ? messageKo : message;

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice.value !== undefined && <p class={`notice tone-${notice.value.tone}`}>{notice.value.text}</p>}
    </div>
  );
}
