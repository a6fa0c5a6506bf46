import { answer, dashboard } from "./api.ts";
import { session } from "./session.ts";

/** Reads the session from the server: at the start, and after every change. Never rejects. */
export async function readSession(): Promise<void> {
  try {
    const { signedIn, needsSetup } = await answer(dashboard.GET("/session"));
    session.value = signedIn ? "signed-in" : needsSetup ? "setup" : "signed-out";
  } catch {
    session.value = "unreachable";
  }
}
