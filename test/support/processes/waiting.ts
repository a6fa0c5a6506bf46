import { setTimeout as delay } from "node:timers/promises";

/** How often a condition in this process is looked at, in milliseconds: that costs nothing. */
const LOOK_MS = 25;
/** How often another process or a file is asked: an API request takes milliseconds of both processes' time. */
const ASK_MS = 100;
/** A busy machine gets so many times as long as a quiet one. A deadline only bounds how long a failing test waits. */
const SLACK = 5;

/**
 * Looks at something again and again until it is there, and returns it. Real peers show what they do only in their
 * files and answers, so there is no event to wait for. `deadlineMs` is enough on a quiet machine. Throws after five
 * times as long, and says what was expected and what was there instead. It proves no duration. `pollMs`: the time
 * between two looks; by default less for a look that returns at once than for one that returns a promise.
 */
export async function waitFor<T>(
  what: string,
  deadlineMs: number,
  look: () => T | undefined | Promise<T | undefined>,
  describe: () => string = () => "",
  pollMs?: number,
): Promise<T> {
  const waitMs = SLACK * deadlineMs;
  const endTime = performance.now() + waitMs;
  for (;;) {
    const looked = look();
    const found = await looked;
    if (found !== undefined) return found;
    if (performance.now() > endTime) throw new Error(`waited ${waitMs} ms for ${what}; ${describe()}`);
    await delay(pollMs ?? (looked instanceof Promise ? ASK_MS : LOOK_MS));
  }
}
