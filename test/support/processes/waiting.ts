import { setTimeout as delay } from "node:timers/promises";

/** How often a condition outside this process (a file, another server's answer) is looked at, in milliseconds. */
const POLL_MS = 25;
/** A busy machine gets so many times as long as a quiet one. A deadline only bounds how long a failing test waits. */
const SLACK = 5;

/**
 * Looks at something again and again until it is there, and returns it. Real peers show what they do only in their
 * files and answers, so there is no event to wait for. `deadlineMs` is enough on a quiet machine. Throws after five
 * times as long, and says what was expected and what was there instead. It proves no duration.
 */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  look: () => T | undefined | Promise<T | undefined>,
  describe: () => string = () => "",
  pollMs = POLL_MS,
): Promise<T> {
  const waitMs = SLACK * deadlineMs;
  const endTime = performance.now() + waitMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endTime) throw new Error(`waited ${waitMs} ms for ${what}; ${describe()}`);
    await delay(pollMs);
  }
}
