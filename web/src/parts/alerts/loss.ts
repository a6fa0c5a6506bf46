import { type LostBy, lostBy } from "../../../../src/api-contract/alerts/lost-broadcast.ts";
import type { Channel } from "../../base/model.ts";

/** A channel's verdict as alerts see it. `lostBy`: the broadcast ended, and no person ended it. */
export type Verdict = Pick<Channel["health"], "state" | "reason" | "nextStep"> & { readonly lostBy?: LostBy };

/** The verdict of an alert about a broadcast that ended. `end`: the reason of the event. */
export function lossOf(end: string | undefined, channel: Pick<Channel, "health" | "ingest"> | undefined): Verdict {
  const health: Verdict = channel?.health ?? { state: "waiting" };
  const by = lostBy(end, health);
  const isSource = channel?.ingest?.sourceKind !== undefined;
  // The channel has not heard of the end yet: its stream was the source's, and its reason is about something else.
  if (by === "encoder" && isSource) return { state: "broken", lostBy: "source" };
  return { ...health, state: "broken", lostBy: by };
}
