import type { ToldTrouble } from "../../api-contract/alerts/alert-tracker.ts";
import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { BroadcastReport } from "./reports.ts";

/** A broadcast that another node goes on with: its state at the node that gives it away. Plain data. */
export type MovedBroadcast = {
  readonly broadcast: RunningBroadcast;
  /** Its report up to now. */
  readonly report: BroadcastReport;
  /** What each target has spent PUBLISHING in it, in milliseconds. */
  readonly onAirMs: readonly (readonly [TargetId, number])[];
  /** What people were told of the channel; absent where that does not matter. */
  readonly told?: ToldTrouble;
};
