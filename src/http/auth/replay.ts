import { TIMESTAMP_TOLERANCE_MS } from "../../api-contract/signature.ts";

/** Signatures are forgotten minute by minute. */
const BUCKET_MS = 60_000;
/** No timestamp is fresh for longer, in milliseconds. */
export const REMEMBERED_MS = 2 * TIMESTAMP_TOLERANCE_MS;

/** The most signatures that are remembered: 300 writes a second for ten minutes, about 25 MB. */
const SIGNATURES_MAX = 200_000;

/** `writes`: each signed request that changes something is accepted once. */
export type ReplayProtection = "off" | "writes";

/**
 * Remembers signatures for as long as their timestamps can be valid, so that each is accepted once. Uses the monotonic
 * clock: a wall clock that is set forward and back must not make it forget. It lives in memory: after a restart, a
 * request can be accepted once more while its timestamp is still fresh.
 */
export class ReplayGuard {
  /** By the minute of their arrival, oldest first. */
  readonly #buckets = new Map<number, Set<string>>();
  readonly #signaturesMax: number;
  #count = 0;

  constructor(signaturesMax: number = SIGNATURES_MAX) {
    this.#signaturesMax = signaturesMax;
  }

  /**
   * `first`: this valid signature is new, and is remembered now. `again`: it was accepted before. `full`: there is no
   * room to remember it, so it must be refused too. `nowMs`: monotonic.
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
      // Its whole minute must be over.
      if ((minute + 1) * BUCKET_MS + REMEMBERED_MS > nowMs) return;
      this.#count -= bucket.size;
      this.#buckets.delete(minute);
    }
  }
}
