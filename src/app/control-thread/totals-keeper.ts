import type { Log } from "../../base/log.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";

/** Totals on disk are at most this much behind, plus the time of one write, in milliseconds. */
const INTERVAL_MS = 2_500;

/** Stores the totals every few seconds, when an encoder left, and at the end. */
export class TotalsKeeper {
  readonly #flush: () => Promise<void>;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;

  constructor(flush: () => Promise<void>, log: Log) {
    this.#flush = flush;
    this.#log = log;
  }

  start(): void {
    this.#timer ??= setInterval(() => this.storeSoon(), INTERVAL_MS);
  }

  /** An encoder has left: its totals are final, and stored at once. */
  fact(fact: ServerFact): void {
    if (fact.kind === "ingest-ended") this.storeSoon();
  }

  storeSoon(): void {
    this.#flush().catch((error: unknown) => {
      this.#log.warn("totals not stored, will retry", { detail: error instanceof Error ? error.message : "" });
    });
  }

  /** Ends the interval: from now on totals are only stored on request. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async storeLast(): Promise<void> {
    await this.#flush().catch(() => this.#log.error("the last totals could not be stored"));
  }
}
