import type { Clock, Timer } from "./clock.ts";

/** A timer may fire a little early, in milliseconds. */
const EARLY_MS = 1;

/** Calls `run` once, when this thread has been awake for this long: for deadlines of peers. */
export function startDeadline(clock: Pick<Clock, "awakeNow" | "startTimer">, delayMs: number, run: () => void): Timer {
  const dueMs = clock.awakeNow() + delayMs;
  const look = () => {
    const leftMs = dueMs - clock.awakeNow();
    if (leftMs < EARLY_MS) run();
    else timer = clock.startTimer(leftMs, look);
  };
  let timer = clock.startTimer(delayMs, look);
  return { cancel: () => timer.cancel() };
}
