import type { Clock, Timer } from "../../base/clock.ts";
import { FailureLog, type Log } from "../../base/log.ts";
import type { ServerFact } from "../../control/facts/server-fact.ts";

/** Totals on disk are at most this much behind, plus the time of one write, in milliseconds. */
const INTERVAL_MS = 2_500;
/** The same for a node of a cluster with much on air. */
const SHARED_INTERVAL_MS_MAX = 30_000;
/** Broadcasts that a node of a cluster may have on air for the short interval: each is a few rows of the common database. */
const SHARED_BROADCASTS = 100;

export type TotalsKeeperDeps = {
  readonly clock: Pick<Clock, "startTimer" | "now">;
  readonly log: Log;
  /** Stores what is not stored yet. */
  readonly flush: () => Promise<void>;
  /** Where several nodes share the database: how many broadcasts this one has on air. Absent: a single server. */
  readonly countOnAir?: () => number;
};

/**
 * Stores the totals every few seconds, when an encoder left, and at the end. Of several nodes one with more than 100
 * broadcasts takes proportionally longer, up to half a minute, so that all together do not fill the database with counters.
 */
export class TotalsKeeper {
  readonly #deps: TotalsKeeperDeps;
  readonly #failures: FailureLog;
  #timer: Timer | undefined;
  #isStarted = false;
  #isAbandoned = false;

  constructor(deps: TotalsKeeperDeps) {
    this.#deps = deps;
    this.#failures = new FailureLog({
      ...{ clock: deps.clock, log: deps.log },
      failed: "totals not stored, will retry",
      worksAgain: "totals are stored again",
    });
  }

  start(): void {
    this.#isStarted = true;
    this.#timer ??= this.#deps.clock.startTimer(this.#intervalMs(), () => {
      this.#timer = undefined;
      this.storeSoon();
      this.start();
    });
  }

  /** An encoder has left: its totals are final, and stored at once. Before `start` they may be another process's to store. */
  fact(fact: ServerFact): void {
    if (fact.kind === "ingest-ended" && this.#isStarted) this.storeSoon();
  }

  storeSoon(): void {
    if (this.#isAbandoned) return;
    this.#deps.flush().then(
      () => this.#failures.worked(),
      (error: unknown) => this.#failures.failed(error),
    );
  }

  /** Ends the interval: from now on totals are only stored on request. */
  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  /** Stores nothing more: another process of this server does. */
  abandon(): void {
    this.stop();
    this.#isAbandoned = true;
  }

  async storeLast(): Promise<void> {
    if (this.#isAbandoned) return;
    await this.#deps.flush().catch(() => this.#deps.log.error("the last totals could not be stored"));
  }

  #intervalMs(): number {
    const times = (this.#deps.countOnAir?.() ?? 0) / SHARED_BROADCASTS;
    return Math.min(SHARED_INTERVAL_MS_MAX, INTERVAL_MS * Math.max(1, times));
  }
}
