import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../base/clock.ts";

/** A server has started by then, and most tests' servers have ended. In milliseconds. */
const AFTER_MS = 3_000;
/** Media threads start together, and one may be in another's way. */
const TRIES_MAX = 3;

/**
 * Collects the garbage of a thread's start once, soon after it. A calm thread allocates so little that V8 would keep that
 * garbage, a third of its heap, for hours. `mayPause`: whether the thread may stand still: for some ten milliseconds, and for up
 * to a second on a machine with ten times the load that it can carry.
 */
export function collectStartGarbage(
  clock: Pick<Clock, "startTimer">,
  mayPause: () => boolean,
  triesLeft = TRIES_MAX,
): void {
  clock.startTimer(AFTER_MS, () => {
    if (!mayPause() || collectGarbage() || triesLeft === 1) return;
    collectStartGarbage(clock, mayPause, triesLeft - 1);
  });
}

/**
 * Collects all garbage of this thread now, and gives the memory back. V8's flags are those of the process: returns false, and
 * collects nothing, where another thread has just taken the flag back.
 */
export function collectGarbage(): boolean {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("globalThis.gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect !== "function") return false;
  collect();
  return true;
}
