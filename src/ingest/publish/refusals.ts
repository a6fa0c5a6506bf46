import type { Fact } from "../../thread-protocol/facts.ts";

type Refusal = Extract<Fact, { readonly kind: "ingest-refused" }>;

/** Channels whose refusals are reported apart within a second; refusals of further channels are reported without a channel. */
const CHANNELS_MAX = 64;

/**
 * Reports refused connections: the first of each reason, and of each channel's encoders, at once; further ones within the same
 * second as a count. A flood of connections does not become a flood of log lines.
 */
export class Refusals {
  readonly #onFact: (fact: Fact) => void;
  readonly #unreported = new Map<string, Refusal>();
  readonly #reportedThisSecond = new Set<string>();

  constructor(onFact: (fact: Fact) => void) {
    this.#onFact = onFact;
  }

  add(refusal: Omit<Refusal, "kind" | "count">): void {
    const { reason, channelId } = refusal;
    const isOfChannel = channelId !== undefined && this.#hasPlaceFor(`${reason} ${channelId}`);
    const { channelId: _, ...withoutChannel } = refusal;
    const key = isOfChannel ? `${reason} ${channelId}` : reason;
    const fact: Omit<Refusal, "count"> = { kind: "ingest-refused", ...(isOfChannel ? refusal : withoutChannel) };
    if (!this.#reportedThisSecond.has(key)) {
      this.#reportedThisSecond.add(key);
      this.#onFact({ ...fact, count: 1 });
      return;
    }
    this.#unreported.set(key, { ...fact, count: (this.#unreported.get(key)?.count ?? 0) + 1 });
  }

  /** Some were only counted: the next `tick` reports them. */
  get hasUnreported(): boolean {
    return this.#unreported.size > 0;
  }

  /** Call once a second: reports what was only counted. */
  tick(): void {
    this.#reportedThisSecond.clear();
    for (const [key, refusal] of this.#unreported) {
      this.#reportedThisSecond.add(key);
      this.#onFact(refusal);
    }
    this.#unreported.clear();
  }

  #hasPlaceFor(key: string): boolean {
    return this.#reportedThisSecond.has(key) || this.#reportedThisSecond.size < CHANNELS_MAX;
  }
}
