import type { Channel } from "./model.ts";

export type HealthState = Channel["health"]["state"];

/** The verdicts, from the one to look at first: broken, then on air, then waiting, then off. */
export const HEALTH_ORDER = [
  "broken",
  "attention",
  "healthy",
  "waiting",
  "off",
] as const satisfies readonly HealthState[];

/** How many channels have each verdict. */
export type HealthCounts = Readonly<Record<HealthState, number>>;

/** Counts the verdicts of these channels. */
export function countHealth(states: Iterable<HealthState>): HealthCounts {
  const counts: Record<HealthState, number> = { broken: 0, attention: 0, healthy: 0, waiting: 0, off: 0 };
  for (const state of states) counts[state] += 1;
  return counts;
}

/** Returns the worst verdict of all channels, or undefined where there is no channel. */
export const worstHealth = (counts: HealthCounts): HealthState | undefined =>
  HEALTH_ORDER.find((state) => counts[state] > 0);
