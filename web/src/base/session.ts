import { signal } from "@preact/signals";

/**
 * Whether this browser is signed in: `unknown` until the server has said, `setup` while the server has no password. `expired`: the session
 * ended by itself, and the page stays below the question for the password, with all that was typed there.
 */
export type Session = "unknown" | "unreachable" | "setup" | "signed-out" | "expired" | "signed-in";

/** The server refuses shorter passwords. */
export const PASSWORD_LENGTH_MIN = 8;

export const session = signal<Session>("unknown");

/** Called when a request is refused because the session has ended. */
export function noteSignedOut(): void {
  if (session.value === "signed-in") session.value = "expired";
}
