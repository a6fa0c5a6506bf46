import { answer, dashboard } from "./api.ts";
import { keep } from "./kept.ts";
import { session } from "./session.ts";

const TOLD_AS = "fanfare-session";

/** Whether a page is shown, perhaps below the question for the password. */
const isShown = (): boolean => session.peek() === "signed-in" || session.peek() === "expired";

/** Readings that began so far, and the last of them that was answered. */
let begun = 0;
let answered = 0;

/** Reads the session from the server: at the start, and after every change. Never rejects. Returns false where it could not be read. */
export async function readSession(): Promise<boolean> {
  begun += 1;
  const own = begun;
  const read = await answer(dashboard.GET("/session")).catch(() => undefined);
  // What an earlier one says may be over: somebody signed out since.
  if (own < answered) return true;
  answered = own;
  if (read?.signedIn) session.value = "signed-in";
  else if (read?.needsSetup) session.value = "setup";
  else if (read !== undefined) session.value = isShown() ? "expired" : "signed-out";
  else if (!isShown()) session.value = "unreachable";
  return read !== undefined;
}

/**
 * Shows nothing of the page any more, and reads the session as `readSession` does. Somebody signed out: what an earlier reading says is
 * over, even where it is answered first.
 */
export function leavePage(): Promise<boolean> {
  answered = begun + 1;
  if (isShown()) session.value = "signed-out";
  return readSession();
}

/** Tells this browser's other tabs that a person signed in or out. */
export const tellTabs = (word: "in" | "out"): void => keep(TOLD_AS, word + Date.now());

addEventListener("storage", ({ key, newValue }) => {
  if (key !== TOLD_AS) return;
  // Who signs out wants nothing of the page to stay, in no tab.
  void (newValue?.startsWith("out") ? leavePage() : readSession());
});
