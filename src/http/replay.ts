import { TIMESTAMP_TOLERANCE_MS } from "../contract/signature.ts";

/** Signatures are forgotten by the minute in which they stop being valid anyhow. */
const BUCKET_MS = 60_000;

/** Most signatures that are remembered: 300 writes a second for ten minutes, some 25 MB. */
const SIGNATURES_MAX = 200_000;

/** `writes`: a signed request that changes something is taken once. */
export type ReplayProtection = "off" | "writes";

/**
 * Remembers signatures for as long as their timestamps are valid, so that each is taken once. It lives in memory: after a restart a
 * request that was taken before is taken once more while its timestamp is still fresh.
 */
export class ReplayGuard {
  /** By the minute in which they expire: a signature covers its timestamp, so it can be in one of them only. */
  readonly #buckets = new Map<number, Set<string>>();
  readonly #signaturesMax: number;
  #count = 0;

  constructor(signaturesMax: number = SIGNATURES_MAX) {
    this.#signaturesMax = signaturesMax;
  }

  /**
   * `first`, and remembered, where this valid signature was not taken yet; `again` where it was; `full` where there is no room
   * to remember it: it must be refused then too. Both times in milliseconds since the Unix epoch.
   */
  take(signature: string, timestampMs: number, nowMs: number): "first" | "again" | "full" {
    this.#forget(nowMs);
    const minute = Math.floor((timestampMs + TIMESTAMP_TOLERANCE_MS) / BUCKET_MS);
    const bucket = this.#buckets.get(minute) ?? new Set<string>();
    if (bucket.has(signature)) return "again";
    if (this.#count >= this.#signaturesMax) return "full";
    bucket.add(signature);
    this.#buckets.set(minute, bucket);
    this.#count += 1;
    return "first";
  }

  #forget(nowMs: number): void {
    const nowMinute = Math.floor(nowMs / BUCKET_MS);
    for (const [minute, bucket] of this.#buckets) {
      if (minute >= nowMinute) continue;
      this.#count -= bucket.size;
      this.#buckets.delete(minute);
    }
  }
}
