import { isIP } from "node:net";
import type { Clock } from "../../base/clock.ts";

/** Requests of one access key within a second; the default of the setting. */
export const REQUESTS_PER_SECOND_DEFAULT = 1_000;

/** Failed authentications of one address within a minute. */
export const FAILED_LOGINS_PER_MINUTE = 30;

/** Keys that are remembered; one more replaces the one that was unseen for longest. */
const REMEMBERED_MAX = 10_000;

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= REMEMBERED_MAX) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** Limits the rate of each access key: up to `perSecond` requests at once, refilled evenly over a second. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { readonly left: number; readonly atMs: number }>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Counts a request. Returns the whole seconds to wait where it is one too many, else undefined. */
  take(accessKeyId: string): number | undefined {
    const nowMs = this.#clock.now();
    const bucket = this.#buckets.get(accessKeyId) ?? { left: this.#perSecond, atMs: nowMs };
    const refilled = bucket.left + ((nowMs - bucket.atMs) / 1_000) * this.#perSecond;
    const left = Math.min(this.#perSecond, refilled);
    const isAllowed = left >= 1;
    remember(this.#buckets, accessKeyId, { left: isAllowed ? left - 1 : left, atMs: nowMs });
    return isAllowed ? undefined : Math.ceil((1 - left) / this.#perSecond);
  }
}

/**
 * The client's address. A forwarded text that is no address (a proxy may write anything there) counts as the proxy's
 * own. An IPv4 client of a socket for both families has its plain address.
 */
export function clientOf(address: string, socketAddress: string): string {
  const valid = isIP(address) > 0 ? address : socketAddress;
  return isIP(valid) === 0 ? "unknown" : valid.replace(/^::ffff:(?=\d+\.)/i, "");
}
