import { RATE_REASONS } from "../../api-contract/event-words.ts";
import type { OverThreshold } from "../facts/server-fact.ts";
import type { PlacedFinding } from "./steady-findings.ts";

/** The contract's threshold: this far above a target's limit … */
const OVER = 1.2;
/** … for this long, in milliseconds. */
const STAYS_MS = 10_000;

type Breach = Pick<OverThreshold, "targetId" | "reason" | "bytesPerSecond" | "limit">;

/** Reports, once for each target and rate, that the rate (a mean of ten seconds) stays 20 % above the limit for ten more. */
export class ThresholdWatch {
  readonly #sinceMs = new Map<string, number>();
  readonly #reported = new Set<string>();

  /** Takes the findings of this moment; returns the breaches to report now. */
  take(findings: readonly PlacedFinding[], nowMs: number): readonly Breach[] {
    const over = new Map<string, Breach>();
    for (const finding of findings) {
      const breach = breachOf(finding);
      if (breach !== undefined) over.set(`${breach.targetId} ${breach.reason}`, breach);
    }
    for (const key of this.#sinceMs.keys()) if (!over.has(key)) this.#sinceMs.delete(key);
    const breaches: Breach[] = [];
    for (const [key, breach] of over) {
      const sinceMs = this.#sinceMs.get(key) ?? nowMs;
      this.#sinceMs.set(key, sinceMs);
      if (nowMs - sinceMs < STAYS_MS || this.#reported.has(key)) continue;
      this.#reported.add(key);
      breaches.push(breach);
    }
    return breaches;
  }

  /** There is another encoder, or none: no rate is above its limit any more. */
  pause(): void {
    this.#sinceMs.clear();
  }
}

function breachOf({ code, targetId, found, wanted }: PlacedFinding): Breach | undefined {
  const reason = RATE_REASONS.find((each) => each === code);
  const [rate, limit] = [Number(found), Number(wanted)];
  if (reason === undefined || targetId === undefined || rate < limit * OVER) return undefined;
  return { targetId, reason, bytesPerSecond: rate, limit };
}
