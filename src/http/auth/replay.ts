import { TIMESTAMP_TOLERANCE_MS } from "../../api-contract/signature.ts";

/** Signatures are forgotten by the minute. */
const BUCKET_MS = 60_000;
/** No timestamp is fresh for longer. */
const REMEMBERED_MS = 2 * TIMESTAMP_TOLERANCE_MS;

/** Most signatures that are remembered: 300 writes a second for ten minutes, some 25 MB. */
const SIGNATURES_MAX = 200_000;

/** `writes`: a signed request that changes something is taken once. */
export type ReplayProtection = "off" | "writes";

/**
 * Remembers signatures for as long as their timestamps can be valid, so that each is taken once, by a clock that never steps: one that is
 * set forward and back must not make it forget. It lives in memory: after a restart a request that was taken before is taken once more
 * while its timestamp is still fresh.
 */
export class ReplayGuard {
  /** By the minute in which they came, the oldest first. */
  readonly #buckets = new Map<number, Set<string>>();
  readonly #signaturesMax: number;
  #count = 0;

  constructor(signaturesMax: number = SIGNATURES_MAX) {
    this.#signaturesMax = signaturesMax;
  }

  /**
   * `first`, and remembered, where this valid signature was not taken yet; `again` where it was; `full` where there is no room
   * to remember it: it must be refused then too. `nowMs`: monotonic.
   */
  take(signature: string, nowMs: number): "first" | "again" | "full" {
    this.#forget(nowMs);
    for (const bucket of this.#buckets.values()) if (bucket.has(signature)) return "again";
    const minute = Math.floor(nowMs / BUCKET_MS);
    const bucket = this.#buckets.get(minute) ?? new Set<string>();
    if (this.#count >= this.#signaturesMax) return "full";
    bucket.add(signature);
    this.#buckets.set(minute, bucket);
    this.#count += 1;
    return "first";
  }

  #forget(nowMs: number): void {
    for (const [minute, bucket] of this.#buckets) {
      // All of its minute has to be over.
      if ((minute + 1) * BUCKET_MS + REMEMBERED_MS > nowMs) return;
      this.#count -= bucket.size;
      this.#buckets.delete(minute);
    }
  }
}
