import { setTimeout as delay } from "node:timers/promises";

/** How often a condition outside this process (a file, another server's answer) is looked at, in milliseconds. */
const POLL_MS = 25;

/**
 * Looks at something again and again until it is there. What real peers do shows only in their files and answers, so
 * there is no event to wait for. Throws after `deadlineMs`, saying what was waited for and what was there instead.
 */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  look: () => T | undefined | Promise<T | undefined>,
  describe: () => string = () => "",
): Promise<T> {
  const endTime = performance.now() + deadlineMs;
  for (;;) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > endTime) throw new Error(`waited ${deadlineMs} ms for ${what}; ${describe()}`);
    await delay(POLL_MS);
  }
}
