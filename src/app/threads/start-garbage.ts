import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../../base/clock.ts";

/** A server has started by then, and most tests' servers have ended. In milliseconds. */
const AFTER_MS = 3_000;

/**
 * Collects the garbage of a thread's start once, soon after it. A calm thread allocates so little that V8 would keep that
 * garbage, a third of its heap, for hours. `mayPause`: whether the thread may stand still for some ten milliseconds.
 */
export function collectStartGarbage(clock: Pick<Clock, "startTimer">, mayPause: () => boolean): void {
  clock.startTimer(AFTER_MS, () => {
    if (mayPause()) collectGarbage();
  });
}

/** Collects all garbage of this thread now, and gives the memory back. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  const collect: unknown = runInNewContext("gc");
  setFlagsFromString("--no-expose-gc");
  if (typeof collect === "function") collect();
}
