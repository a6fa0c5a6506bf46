import { signal } from "@preact/signals";
import { at } from "./base-path.ts";

/** Whether this browser is signed in: `unknown` until the server has said, `setup` while the server has no password. */
export type Session = "unknown" | "unreachable" | "setup" | "signed-out" | "signed-in";

/** The server refuses shorter passwords. */
export const PASSWORD_LENGTH_MIN = 8;

export const session = signal<Session>("unknown");

/** Reads the session from the server: at the start, and after every change. */
export async function readSession(): Promise<void> {
  try {
    const response = await fetch(at("/dashboard/session"));
    if (!response.ok) throw new Error(`status ${response.status}`);
    const { signedIn, needsSetup } = (await response.json()) as { signedIn: boolean; needsSetup: boolean };
    session.value = signedIn ? "signed-in" : needsSetup ? "setup" : "signed-out";
  } catch {
    session.value = "unreachable";
  }
}

/** Called when a request is refused because the session has ended. */
export function noteSignedOut(): void {
  if (session.value === "signed-in") session.value = "signed-out";
}
