import { isIP } from "node:net";
import ipaddr from "ipaddr.js";
import type { Clock } from "../base/clock.ts";

/** Requests of one access key within a second, unless configured otherwise. */
export const REQUESTS_PER_SECOND_DEFAULT = 1_000;

/** Failed authentications of one address within a minute. */
export const FAILED_LOGINS_PER_MINUTE = 30;
const MINUTE_MS = 60_000;

/** Keys and addresses remembered at a time; over that the one that was longest unseen is forgotten. */
const REMEMBERED_MAX = 10_000;

/** IPv6 hands every customer at least this many bits of hosts: all of them are one client. */
const IPV6_NETWORK_BYTES = 8;

function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= REMEMBERED_MAX) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** How often each access key may ask: as much as `perSecond` at once, refilled evenly over a second. */
export class RequestRate {
  readonly #perSecond: number;
  readonly #clock: Clock;
  readonly #buckets = new Map<string, { readonly left: number; readonly atMs: number }>();

  constructor(perSecond: number, clock: Clock) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  /** Counts a request; the whole seconds to wait where it is one too many, else undefined. */
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

/** How often each address may fail to authenticate: then it is not looked at until a minute after its first failure. */
export class FailedLogins {
  readonly #perMinute: number;
  readonly #clock: Clock;
  readonly #failures = new Map<string, { readonly count: number; readonly fromMs: number }>();

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute;
    this.#clock = clock;
  }

  /** The whole seconds this client has to wait before it may try again, or undefined. */
  waitSeconds(client: string): number | undefined {
    const { count, fromMs } = this.#current(client);
    if (count < this.#perMinute) return undefined;
    return Math.max(1, Math.ceil((fromMs + MINUTE_MS - this.#clock.now()) / 1_000));
  }

  /** How often this client failed within its minute. */
  failures(client: string): number {
    return this.#current(client).count;
  }

  failed(client: string): void {
    const { count, fromMs } = this.#current(client);
    remember(this.#failures, client, { count: count + 1, fromMs });
  }

  #current(client: string): { readonly count: number; readonly fromMs: number } {
    const nowMs = this.#clock.now();
    const known = this.#failures.get(client);
    return known === undefined || nowMs - known.fromMs >= MINUTE_MS ? { count: 0, fromMs: nowMs } : known;
  }
}

/**
 * Whom an address counts as: an IPv4 address itself, also where it is written as IPv6, and of an IPv6 address its /64. A
 * forwarded address that is none (a proxy may write anything there) counts as the proxy's own.
 */
export function clientOf(address: string, socketAddress: string): string {
  const valid = isIP(address) > 0 ? address : socketAddress;
  if (isIP(valid) === 0) return "unknown";
  const parsed = ipaddr.process(valid.replace(/%.*$/, ""));
  if (parsed.kind() === "ipv4") return parsed.toString();
  return Buffer.from(parsed.toByteArray().slice(0, IPV6_NETWORK_BYTES)).toString("hex");
}
