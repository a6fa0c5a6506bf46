import type { TargetId } from "../../thread-protocol/channel-spec.ts";
import type { Finding } from "./ingest-findings.ts";

/** A finding, and the target that it is about; absent: all of them. */
export type PlacedFinding = Finding & { readonly targetId?: TargetId };

/** How long a fault must be clear before it is shown, and gone before it is removed, in milliseconds. */
const SHOWN_AFTER_MS = 5_000;
const GONE_AFTER_MS = 10_000;
/** A number that changes by less than this share is not reported again. */
const REPORTED_AGAIN = 0.1;

type Entry = {
  reported: PlacedFinding;
  isShown: boolean;
  /** Since when it is clear without a break, in monotonic milliseconds. */
  readonly sinceMs: number;
  lastSeenMs: number;
};

/** Makes findings steady: they come and go with each second's numbers, and are shown for long enough to be read. */
export class SteadyFindings {
  readonly #entries = new Map<string, Entry>();

  /** Takes the present findings. */
  take(findings: readonly PlacedFinding[], nowMs: number): void {
    const found = new Map(findings.map((finding) => [keyOf(finding), finding]));
    for (const [key, entry] of this.#entries) {
      const finding = found.get(key);
      if (finding !== undefined && (entry.isShown || finding.isClear)) this.#goOn(entry, finding, nowMs);
      else if (!entry.isShown || entry.reported.isSteady || nowMs - entry.lastSeenMs >= GONE_AFTER_MS)
        this.#entries.delete(key);
    }
    for (const [key, finding] of found) {
      if (!finding.isClear || this.#entries.has(key)) continue;
      this.#entries.set(key, {
        reported: finding,
        isShown: finding.isSteady === true,
        sinceMs: nowMs,
        lastSeenMs: nowMs,
      });
    }
  }

  /** In the order in which they began. */
  get shown(): readonly PlacedFinding[] {
    return [...this.#entries.values()].filter(({ isShown }) => isShown).map(({ reported }) => reported);
  }

  #goOn(entry: Entry, finding: PlacedFinding, nowMs: number): void {
    entry.lastSeenMs = nowMs;
    entry.isShown ||= nowMs - entry.sinceMs >= SHOWN_AFTER_MS;
    if (!entry.isShown || isOtherNumber(entry.reported, finding)) entry.reported = finding;
  }
}

function keyOf({ code, targetId }: PlacedFinding): string {
  return `${code} ${targetId ?? ""}`;
}

function isOtherNumber(reported: Finding, now: Finding): boolean {
  if (reported.wanted !== now.wanted) return true;
  if (typeof reported.found !== "number" || typeof now.found !== "number") return reported.found !== now.found;
  return Math.abs(now.found - reported.found) > Math.abs(reported.found) * REPORTED_AGAIN;
}
