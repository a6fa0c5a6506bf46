import type { AlertVerdict } from "./alert-tracker.ts";

/** What was lost where a broadcast ended that no person ended. */
export type LostBy = "encoder" | "source" | "server";

/**
 * Returns what was lost. `end`: the reason of the event PUBLISH_END. `verdict`: that on the channel now; a source that
 * fails, or is connected to again, is its reason.
 */
export function lostBy(end: string | undefined, { state, reason }: AlertVerdict): LostBy {
  if (end === "server-lost") return "server";
  if (reason === undefined || reason.platId !== undefined || reason.code === "ENCODER_LOST") return "encoder";
  return state === "broken" || reason.code === "SOURCE_STARTING" ? "source" : "encoder";
}
