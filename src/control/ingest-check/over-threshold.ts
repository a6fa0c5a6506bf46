import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { PlacedFinding } from "./steady-findings.ts";

/** The contract's threshold: so far above a target's limit … */
const OVER = 1.2;
/** … for so long, in milliseconds. */
const STAYS_MS = 10_000;

/** The rates there are limits of. */
export const RATE_CAUSES = ["VIDEO_BITRATE_HIGH", "AUDIO_BITRATE_HIGH"] as const;
type RateCause = (typeof RATE_CAUSES)[number];

/** An ingest that stayed above a target's limit. Rates are bytes a second. */
export type OverThreshold = {
  readonly targetId: TargetId;
  readonly cause: RateCause;
  readonly bytesPerSecond: number;
  readonly limit: number;
};

/** Tells once of each target and cause that the ingest's rate, a mean of ten seconds, stays 20 % above the limit for ten more. */
export class ThresholdWatch {
  readonly #sinceMs = new Map<string, number>();
  readonly #told = new Set<string>();

  /** Takes what was found now; answers what is to be told. */
  take(findings: readonly PlacedFinding[], nowMs: number): readonly OverThreshold[] {
    const over = new Map<string, OverThreshold>();
    for (const finding of findings) {
      const breach = breachOf(finding);
      if (breach !== undefined) over.set(`${breach.targetId} ${breach.cause}`, breach);
    }
    for (const key of this.#sinceMs.keys()) if (!over.has(key)) this.#sinceMs.delete(key);
    const told: OverThreshold[] = [];
    for (const [key, breach] of over) {
      const sinceMs = this.#sinceMs.get(key) ?? nowMs;
      this.#sinceMs.set(key, sinceMs);
      if (nowMs - sinceMs < STAYS_MS || this.#told.has(key)) continue;
      this.#told.add(key);
      told.push(breach);
    }
    return told;
  }

  /** Another encoder, or none: what was above the limit no longer is. */
  pause(): void {
    this.#sinceMs.clear();
  }
}

function breachOf({ code, targetId, found, wanted }: PlacedFinding): OverThreshold | undefined {
  const cause = RATE_CAUSES.find((each) => each === code);
  const [rate, limit] = [Number(found), Number(wanted)];
  if (cause === undefined || targetId === undefined || rate < limit * OVER) return undefined;
  return { targetId, cause, bytesPerSecond: rate, limit };
}
