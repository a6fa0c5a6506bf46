import type { Clock } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { NewWallSteps } from "../../base/wall-steps.ts";

/** How often the wall clock is read, in milliseconds. */
const INTERVAL_MS = 1_000;

/** Logs that the wall clock was set, and calls back. */
export function watchClock(clock: Clock, log: Log, onSet: () => void): void {
  const steps = new NewWallSteps(clock);
  const look = () => {
    const stepMs = steps.take();
    if (stepMs !== 0) {
      log.warn("clock set", { byMs: stepMs });
      onSet();
    }
    clock.startTimer(INTERVAL_MS, look);
  };
  clock.startTimer(INTERVAL_MS, look);
}
