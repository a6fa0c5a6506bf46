import { systemClock } from "../../../base/clock.ts";
import type { LiveState } from "../../../control/live/live-state.ts";
import type { Metrics } from "../../../telemetry/metrics.ts";
import type { Storage } from "../../data-folder/storage.ts";
import type { MediaPool } from "../media/media-pool.ts";
import type { Notifications } from "../notifications.ts";
import type { TotalsKeeper } from "../totals-keeper.ts";
import type { Succession } from "./succession.ts";

/** The parts of a server that know of its broadcasts. */
export type GoingOnParts = {
  readonly succession: Succession;
  readonly runtime: MediaPool;
  readonly liveState: LiveState;
  readonly notifications: Notifications;
  readonly metrics: Metrics;
  readonly totals: TotalsKeeper;
  readonly storage: Storage;
};

/**
 * Goes on with the broadcasts of earlier processes: their state first, then what happened since. The next process gets what
 * it needs of them from the processes that have them.
 */
export async function goOnWith({
  succession,
  runtime,
  liveState,
  notifications,
  metrics,
}: GoingOnParts): Promise<void> {
  await succession.adopt(runtime);
  for (const { broadcasts, onAirMs, reports, told = [], time, unstored } of succession.handovers) {
    const countedUpToMs = systemClock.now() - (systemClock.wallNow() - time);
    liveState.resume(broadcasts, new Map(onAirMs), countedUpToMs, unstored?.totals);
    notifications.resume(broadcasts, reports, told, unstored);
    metrics.resume(broadcasts);
  }
  succession.listen(runtime);
}

/**
 * Stores nothing of what earlier processes told, which they count and store themselves again. The one that served takes the
 * database back at once, before this one has stopped.
 */
export async function leaveUndecided({ succession, totals, notifications, storage }: GoingOnParts): Promise<void> {
  if (!succession.isUndecided) return;
  totals.abandon();
  notifications.abandon();
  await storage.giveUp();
}
