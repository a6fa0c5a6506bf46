import type { Store } from "../store.ts";
import type { LiveState } from "./live-state.ts";

/** A read that a flush crossed is repeated this often; flushes are seconds apart. */
const CROSSED_READS_MAX = 10;

/**
 * Carries totals from the live view into the store. What an answer shows is stored + not yet stored, so a read must
 * not fall between a flush's write and its mark, where a value would be in both or in neither.
 */
export class Totals {
  readonly #store: Store;
  readonly #view: LiveState;
  #flushing: Promise<void> = Promise.resolve();
  #flushCount = 0;
  #isFlushing = false;

  constructor(store: Store, view: LiveState) {
    this.#store = store;
    this.#view = view;
  }

  /**
   * Writes what is not stored yet. Flushes run one after another, so nothing is added twice. Rejects with
   * StoreUnavailableError where the database takes no write; nothing is lost then, the next flush has it all.
   */
  flush(): Promise<void> {
    const run = this.#flushing.then(() => this.#flushNow());
    this.#flushing = run.catch(() => undefined);
    return run;
  }

  /** Reads the store and puts the unstored beside it: `combine` runs at once after a read that no flush crossed. */
  async readBeside<Read, Value>(read: () => Promise<Read>, combine: (value: Read) => Value): Promise<Value> {
    for (let round = 1; ; round += 1) {
      await this.#flushing;
      const wasIdle = !this.#isFlushing;
      const flushCount = this.#flushCount;
      const value = await read();
      const isCrossed = !wasIdle || flushCount !== this.#flushCount;
      if (!isCrossed || round === CROSSED_READS_MAX) return combine(value);
    }
  }

  async #flushNow(): Promise<void> {
    const batch = this.#view.unstored();
    if (batch.channels.length === 0 && batch.targets.length === 0) return;
    this.#flushCount += 1;
    this.#isFlushing = true;
    try {
      await this.#store.addTotals(batch);
      this.#view.markStored(batch);
    } finally {
      this.#isFlushing = false;
    }
  }
}
