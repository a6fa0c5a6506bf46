import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { CautiousTime } from "../../base/wall-steps.ts";

/** Events and their deliveries are kept this long, in milliseconds. */
export const EVENTS_KEPT_MS = 7 * 24 * 60 * 60 * 1_000;
/** How often old rows are looked for, in milliseconds. */
const INTERVAL_MS = 10 * 60 * 1_000;
/**
 * One transaction removes at most this many. The next follows after this pause, in milliseconds, so that others can
 * write too.
 */
const BATCH_MAX = 500;
const BATCH_PAUSE_MS = 1_000;

/** Rows that are kept for a while. */
type KeptRows = {
  readonly keptMs: number;
  /** Removes at most `limit` rows from before `time`, and returns how many. */
  readonly prune: (time: number, limit: number) => Promise<number>;
};

export type EventRetentionOptions = {
  readonly rows: readonly KeptRows[];
  readonly clock: Clock;
  /** What rows are too old by; absent: the clock. */
  readonly agedBy?: Pick<Clock, "now" | "wallNow">;
  readonly log: Log;
};

/** Removes old events and audit records, a little at a time. */
export class EventRetention {
  readonly #options: EventRetentionOptions;
  readonly #time: CautiousTime;
  #timer: Timer | undefined;
  #pruning: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: EventRetentionOptions) {
    this.#options = options;
    this.#time = new CautiousTime(options.agedBy ?? options.clock);
  }

  /** Starts to remove what is too old. Not at once: a machine that has just started may still have its clock set. */
  start(): void {
    this.#wait(INTERVAL_MS);
  }

  /** Resolves when no removal runs any more. Idempotent. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#timer?.cancel();
    await this.#pruning;
  }

  async #prune(): Promise<void> {
    const { rows, log } = this.#options;
    const now = this.#time.now();
    let hasMore = false;
    for (const { keptMs, prune } of rows) {
      try {
        hasMore = (await prune(now - keptMs, BATCH_MAX)) === BATCH_MAX || hasMore;
      } catch (error) {
        log.warn("old events could not be removed", { detail: error instanceof Error ? error.message : String(error) });
      }
    }
    this.#wait(hasMore ? BATCH_PAUSE_MS : INTERVAL_MS);
  }

  #wait(delayMs: number): void {
    if (this.#isClosed) return;
    this.#timer = this.#options.clock.startTimer(delayMs, () => {
      this.#pruning = this.#prune();
    });
  }
}
