import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ServerFact } from "./server-fact.ts";

/** Refusals that concern a person: somebody tried to publish and was rejected. */
export const REFUSAL_REASONS = [
  "unknown-key",
  "auth-failed",
  "channel-off",
  "too-many-guesses",
  "encoders-fight",
  "overloaded",
] as const;

/** An encoder that was rejected. Never holds the key that was tried. Times are milliseconds since the Unix epoch. */
export type RefusedEncoder = {
  readonly remoteAddress: string;
  readonly reason: (typeof REFUSAL_REASONS)[number];
  /** For a login or a fight, where the channel is known. */
  readonly channelId?: ChannelId;
  readonly firstTime: number;
  readonly lastTime: number;
  readonly count: number;
};

/** What distinguishes an entry from others. */
export const refusalKey = ({
  remoteAddress,
  reason,
  channelId = "",
}: Pick<RefusedEncoder, "remoteAddress" | "reason" | "channelId">): string => `${reason} ${remoteAddress} ${channelId}`;

/** Returns the attempt that this fact reports; undefined where it is none of these refusals. */
function refusalOf(fact: ServerFact): RefusedEncoder | undefined {
  if (fact.kind !== "ingest-refused") return undefined;
  const reason = REFUSAL_REASONS.find((each) => each === fact.reason);
  if (reason === undefined) return undefined;
  const { remoteAddress, time, count, channelId } = fact;
  const entry = { remoteAddress, reason, firstTime: time, lastTime: time, count };
  return channelId === undefined ? entry : { ...entry, channelId };
}

/**
 * Rejected encoders, by address and reason. One more than `max` replaces the one whose last attempt is oldest. A flood
 * within a second is remembered with one address.
 */
export class RefusalList {
  readonly #max: number;
  readonly #entries = new Map<string, RefusedEncoder>();

  /** `entries`: what is known already, latest first. */
  constructor(max: number, entries: readonly RefusedEncoder[] = []) {
    this.#max = max;
    for (const entry of [...entries].reverse()) this.#entries.set(refusalKey(entry), entry);
  }

  /** Returns the entry that this fact made or changed; undefined where it is none of these refusals. */
  add(fact: ServerFact): RefusedEncoder | undefined {
    const attempt = refusalOf(fact);
    return attempt === undefined ? undefined : this.merge(attempt);
  }

  /** Adds attempts to the entry of their address and reason, and returns it. They are the latest. */
  merge(attempts: RefusedEncoder): RefusedEncoder {
    const key = refusalKey(attempts);
    const known = this.#entries.get(key);
    // The latest goes to the end, so that the first is removed.
    this.#entries.delete(key);
    const entry =
      known === undefined ? attempts : { ...attempts, firstTime: known.firstTime, count: known.count + attempts.count };
    this.#entries.set(key, entry);
    const [oldest] = this.#entries.keys();
    if (this.#entries.size > this.#max && oldest !== undefined) this.#entries.delete(oldest);
    return entry;
  }

  /** Removes the entries whose last attempt was before this time. */
  forgetBefore(time: number): void {
    for (const [key, { lastTime }] of this.#entries) if (lastTime < time) this.#entries.delete(key);
  }

  /** Latest first. */
  list(): readonly RefusedEncoder[] {
    return [...this.#entries.values()].reverse();
  }
}
