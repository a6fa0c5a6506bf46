import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ServerFact } from "./server-fact.ts";

/** Refusals that concern a person: somebody tried to publish and was rejected. */
const REFUSAL_REASONS = [
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
    for (const entry of [...entries].reverse()) this.#entries.set(keyOf(entry), entry);
  }

  /** Returns the entry that this fact made or changed; undefined where it is none of these refusals. */
  add(fact: ServerFact): RefusedEncoder | undefined {
    if (fact.kind !== "ingest-refused") return undefined;
    const reason = REFUSAL_REASONS.find((each) => each === fact.reason);
    if (reason === undefined) return undefined;
    const { remoteAddress, time, count, channelId } = fact;
    const key = keyOf({ remoteAddress, reason, ...(channelId === undefined ? {} : { channelId }) });
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

const keyOf = ({
  remoteAddress,
  reason,
  channelId = "",
}: Pick<RefusedEncoder, "remoteAddress" | "reason" | "channelId">) => `${reason} ${remoteAddress} ${channelId}`;
