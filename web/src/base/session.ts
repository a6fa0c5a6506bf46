import { signal } from "@preact/signals";
import { at } from "./base-path.ts";

/** Whether this browser is let in: `unknown` until the server was asked, `setup` while it has no password yet. */
export type Session = "unknown" | "unreachable" | "setup" | "signed-out" | "signed-in";

/** The server refuses shorter ones. */
export const PASSWORD_LENGTH_MIN = 8;

export const session = signal<Session>("unknown");

/** Asks the server; called at the start and after everything that changes it. */
export async function readSession(): Promise<void> {
  try {
    const answer = await fetch(at("/dashboard/session"));
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const { signedIn, needsSetup } = (await answer.json()) as { signedIn: boolean; needsSetup: boolean };
    session.value = signedIn ? "signed-in" : needsSetup ? "setup" : "signed-out";
  } catch {
    session.value = "unreachable";
  }
}

/** A call was refused for want of a session: it has ended meanwhile. */
export function noticeSignedOut(): void {
  if (session.value === "signed-in") session.value = "signed-out";
}
