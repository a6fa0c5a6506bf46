import { networkOf } from "./door.ts";

/** Wrong keys of one address that are refused at once, within the time after which they are forgotten: people mistype. */
const FREE_COUNT = 5;
const FORGET_AFTER_MS = 60_000;
const DELAY_FIRST_MS = 1_000;
const DELAY_MAX_MS = 4_000;
/** Addresses remembered; the one heard of least recently is forgotten first. */
const ADDRESSES_MAX = 10_000;

/** Makes whoever tries keys wait for each refusal. A good key never waits, whoever else is behind its address. */
export class FailedKeys {
  readonly #failures = new Map<string, { readonly count: number; readonly lastMs: number }>();

  /** Notes a refused key; answers for how long the refusal is to be held back, in milliseconds. */
  add(address: string, nowMs: number): number {
    const network = networkOf(address);
    const before = this.#failures.get(network);
    const count = before === undefined || nowMs - before.lastMs >= FORGET_AFTER_MS ? 1 : before.count + 1;
    this.#failures.delete(network);
    this.#failures.set(network, { count, lastMs: nowMs });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > ADDRESSES_MAX && oldest !== undefined) this.#failures.delete(oldest);
    return count <= FREE_COUNT ? 0 : Math.min(DELAY_MAX_MS, DELAY_FIRST_MS * 2 ** (count - FREE_COUNT - 1));
  }
}
