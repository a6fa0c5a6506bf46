import { answer, dashboard } from "./api.ts";
import { session } from "./session.ts";

const TOLD_AS = "fanfare-session";

/** Whether a page is shown, perhaps below the question for the password. */
const isShown = (): boolean => session.peek() === "signed-in" || session.peek() === "expired";

/** Reads the session from the server: at the start, and after every change. Never rejects. */
export async function readSession(): Promise<void> {
  try {
    const { signedIn, needsSetup } = await answer(dashboard.GET("/session"));
    session.value = signedIn ? "signed-in" : needsSetup ? "setup" : isShown() ? "expired" : "signed-out";
  } catch {
    if (!isShown()) session.value = "unreachable";
  }
}

/** Tells this browser's other tabs that a person signed in or out. */
export const tellTabs = (word: "in" | "out"): void => localStorage.setItem(TOLD_AS, word + Date.now());

addEventListener("storage", ({ key, newValue }) => {
  if (key !== TOLD_AS) return;
  // Who signs out wants nothing of the page to stay, in no tab.
  if (newValue?.startsWith("out") && isShown()) session.value = "signed-out";
  void readSession();
});
