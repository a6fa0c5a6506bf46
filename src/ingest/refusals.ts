import type { Fact } from "../exchange/facts.ts";

type Refusal = Extract<Fact, { readonly kind: "ingest-refused" }>;

/**
 * Tells refused connections: the first of a reason at once, more of it within the same second as a count. Whoever floods us with
 * connections does not flood the log too.
 */
export class Refusals {
  readonly #tell: (fact: Fact) => void;
  readonly #untold = new Map<Refusal["reason"], Refusal>();
  readonly #toldThisSecond = new Set<Refusal["reason"]>();

  constructor(tell: (fact: Fact) => void) {
    this.#tell = tell;
  }

  add(refusal: Omit<Refusal, "kind" | "count">): void {
    const { reason } = refusal;
    if (!this.#toldThisSecond.has(reason)) {
      this.#toldThisSecond.add(reason);
      this.#tell({ kind: "ingest-refused", ...refusal, count: 1 });
      return;
    }
    this.#untold.set(reason, { kind: "ingest-refused", ...refusal, count: (this.#untold.get(reason)?.count ?? 0) + 1 });
  }

  /** Call once a second: tells what was only counted. */
  tick(): void {
    this.#toldThisSecond.clear();
    for (const refusal of this.#untold.values()) {
      this.#toldThisSecond.add(refusal.reason);
      this.#tell(refusal);
    }
    this.#untold.clear();
  }
}
