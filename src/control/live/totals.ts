import type { Store } from "../ports/store.ts";
import type { LiveState } from "./live-state.ts";

/** A read during which a flush ran is repeated at most this often; flushes are seconds apart. */
const CROSSED_READS_MAX = 10;

/**
 * Moves totals from the live state into the store. An answer shows stored plus unstored totals, so a read must not fall
 * between a flush's write and its mark, where a value would be in both or in neither.
 */
export class Totals {
  readonly #store: Store;
  readonly #view: LiveState;
  /** Flushes, and writes that return totals, one after another. */
  #turns: Promise<unknown> = Promise.resolve();
  /** The running flush; reads wait only for it. */
  #flushing: Promise<unknown> = Promise.resolve();
  #flushCount = 0;
  #isFlushing = false;

  constructor(store: Store, view: LiveState) {
    this.#store = store;
    this.#view = view;
  }

  /**
   * Stores what is not stored yet. Flushes run one after another, so nothing is added twice. Rejects with
   * StoreUnavailableError where the database accepts no writes; nothing is lost then, and the next flush includes it.
   */
  flush(): Promise<void> {
    return this.#inTurn(() => {
      const run = this.#flushNow();
      this.#flushing = run.catch(() => undefined);
      return run;
    });
  }

  /** Runs a write that returns stored totals while no flush runs. `combine` adds the unstored totals at once. */
  writeBeside<Written, Value>(write: () => Promise<Written>, combine: (value: Written) => Value): Promise<Value> {
    return this.#inTurn(async () => combine(await write()));
  }

  /** Reads stored totals. `combine` adds the unstored totals right after a read during which no flush ran. */
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

  #inTurn<Value>(run: () => Promise<Value>): Promise<Value> {
    const turn = this.#turns.then(run);
    this.#turns = turn.catch(() => undefined);
    return turn;
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
