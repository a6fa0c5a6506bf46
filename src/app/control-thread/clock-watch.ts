import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { WallSteps } from "../../base/wall-steps.ts";

/** How often the wall clock is read, in milliseconds. */
const INTERVAL_MS = 1_000;

/** Logs that the wall clock was set, and calls back. */
export function watchClock(clock: Clock, log: Log, onSet: () => void): void {
  const steps = new WallSteps(clock);
  let mark = steps.mark();
  const look = () => {
    const stepMs = steps.since(mark);
    if (stepMs !== 0) {
      mark = steps.mark();
      log.warn("clock set", { byMs: stepMs });
      onSet();
    }
    clock.startTimer(INTERVAL_MS, look);
  };
  clock.startTimer(INTERVAL_MS, look);
}
