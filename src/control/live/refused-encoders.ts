import type { Clock } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ServerFact } from "../facts/server-fact.ts";

/** Addresses that are remembered; one more replaces the one whose last attempt is oldest. */
const ADDRESSES_MAX = 100;
/** … and for how long, in milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** Refusals that concern a person: somebody tried to publish and was refused. */
const REASONS = [
  "unknown-key",
  "auth-failed",
  "channel-off",
  "too-many-guesses",
  "encoders-fight",
  "overloaded",
] as const;
type RefusalReason = (typeof REASONS)[number];

/** An encoder that was refused. Never holds the key that was tried. Times are milliseconds since the Unix epoch. */
export type RefusedEncoder = {
  readonly remoteAddress: string;
  readonly reason: RefusalReason;
  /** For a login or a fight, where the channel is known. */
  readonly channelId?: ChannelId;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly count: number;
};

/**
 * Recently refused encoders, by address and reason. A wrong key belongs to no channel, so this list belongs to the
 * server. A flood within a second is remembered with one address.
 */
export class RefusedEncoders {
  readonly #clock: Clock;
  readonly #entries = new Map<string, RefusedEncoder>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the entry that this fact made or changed; undefined where it is none of these refusals. */
  fact(fact: ServerFact): RefusedEncoder | undefined {
    if (fact.kind !== "ingest-refused") return undefined;
    const reason = REASONS.find((each) => each === fact.reason);
    if (reason === undefined) return undefined;
    const { remoteAddress, time, count, channelId } = fact;
    const key = `${reason} ${remoteAddress} ${channelId ?? ""}`;
    const known = this.#entries.get(key);
    // The latest goes to the end, so that the first is removed.
    this.#entries.delete(key);
    const entry: RefusedEncoder = {
      ...{ remoteAddress, reason, firstTime: known?.firstTime ?? time, lastTime: time },
      ...(channelId === undefined ? {} : { channelId }),
      count: (known?.count ?? 0) + count,
    };
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > ADDRESSES_MAX && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  /** Latest first. */
  list(): readonly RefusedEncoder[] {
    const since = this.#clock.wallNow() - KEPT_MS;
    for (const [key, { lastTime }] of this.#entries) if (lastTime < since) this.#entries.delete(key);
    return [...this.#entries.values()].reverse();
  }
}
