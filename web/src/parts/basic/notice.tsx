import { signal } from "@preact/signals";
import type { PlatformSettings } from "../../base/model.ts";
import { language } from "../../text/text.ts";

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

/** Tells what is to be known about what was sent, in what language the page is. */
export function sayNotes(notes: PlatformSettings["notes"] = []): void {
  if (notes.length > 0) say(notes.map(noteText).join(" "), "bad");
}

type Note = { readonly message: string; readonly messageKo: string };

/** A sentence of the server's, in the language of the page. */
export const noteText = ({ message, messageKo }: Note): string => (language.value === "ko" ? messageKo : message);

export function Notices() {
  return (
    <div class="notices" role="status" aria-live="polite">
      {notice.value !== undefined && <p class={`notice tone-${notice.value.tone}`}>{notice.value.text}</p>}
    </div>
  );
}
