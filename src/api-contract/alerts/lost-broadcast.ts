import type { AlertVerdict } from "./alert-tracker.ts";

/** What was lost where a broadcast ended that no person ended. `stopped-source`: one that is not tried again. */
export type LostBy = "encoder" | "source" | "stopped-source" | "server";

/**
 * Returns what was lost. `end`: the reason of the event PUBLISH_END. `verdict`: that on the channel now; a source that
 * fails, or is connected to again, is its reason.
 */
export function lostBy(end: string | undefined, { state, reason }: AlertVerdict): LostBy {
  if (end === "server-lost") return "server";
  if (reason === undefined || reason.platId !== undefined || reason.code === "ENCODER_LOST") return "encoder";
  if (reason.code === "SOURCE_FAILED") return "stopped-source";
  return state === "broken" || reason.code === "SOURCE_STARTING" ? "source" : "encoder";
}

/** Whether the verdict's reason says more about the loss. */
export const isExplained = (lost: LostBy): boolean => lost === "source" || lost === "stopped-source";
