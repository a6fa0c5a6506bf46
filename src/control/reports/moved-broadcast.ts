import type { ToldTrouble } from "../../api-contract/alerts/alert-tracker.ts";
import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { RunningBroadcast } from "../facts/running-broadcasts.ts";
import type { BroadcastReport } from "./reports.ts";

/** What an owner that is asked for its broadcast gives: undefined where it has none to give. */
export type GivenBroadcast = MovedBroadcast | "no-reply" | undefined;

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
