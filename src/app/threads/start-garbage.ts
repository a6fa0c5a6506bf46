import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../base/clock.ts";

/** Threads start together, and one may be in another's way. */
const TRIES_MAX = 3;

/**
 * Collects the garbage of a thread's start once, after this time, in milliseconds. A thread allocates so little afterwards that
 * V8 would keep that garbage, a third of its heap, for hours. The thread stands still for some ten milliseconds.
 */
export function collectStartGarbage(clock: Pick<Clock, "startTimer">, afterMs: number, triesLeft = TRIES_MAX): void {
  clock.startTimer(afterMs, () => {
    if (!collectGarbage() && triesLeft > 1) collectStartGarbage(clock, afterMs, triesLeft - 1);
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
