import type { Fact } from "../../thread-protocol/facts.ts";

type Refusal = Extract<Fact, { readonly kind: "ingest-refused" }>;

/** Channels that are told apart within a second; of further ones refusals are told as nobody's. */
const CHANNELS_MAX = 64;

/**
 * Tells refused connections: the first of a reason, and of a channel's login, at once, more of it within the same second as a
 * count. Whoever floods us with connections does not flood the log too.
 */
export class Refusals {
  readonly #tell: (fact: Fact) => void;
  readonly #untold = new Map<string, Refusal>();
  readonly #toldThisSecond = new Set<string>();

  constructor(tell: (fact: Fact) => void) {
    this.#tell = tell;
  }

  add(refusal: Omit<Refusal, "kind" | "count">): void {
    const { reason, channelId } = refusal;
    const isOfChannel = channelId !== undefined && this.#hasPlaceFor(`${reason} ${channelId}`);
    const { channelId: _, ...nobodys } = refusal;
    const key = isOfChannel ? `${reason} ${channelId}` : reason;
    const told: Omit<Refusal, "count"> = { kind: "ingest-refused", ...(isOfChannel ? refusal : nobodys) };
    if (!this.#toldThisSecond.has(key)) {
      this.#toldThisSecond.add(key);
      this.#tell({ ...told, count: 1 });
      return;
    }
    this.#untold.set(key, { ...told, count: (this.#untold.get(key)?.count ?? 0) + 1 });
  }

  /** Call once a second: tells what was only counted. */
  tick(): void {
    this.#toldThisSecond.clear();
    for (const [key, refusal] of this.#untold) {
      this.#toldThisSecond.add(key);
      this.#tell(refusal);
    }
    this.#untold.clear();
  }

  #hasPlaceFor(key: string): boolean {
    return this.#toldThisSecond.has(key) || this.#toldThisSecond.size < CHANNELS_MAX;
  }
}
