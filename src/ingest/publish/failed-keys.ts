import { NETWORK_WIDTHS, type NetworkWidth, networksOf } from "../../base/networks.ts";

/** Wrong keys of one address, and of the networks around it, that are refused without a delay: people mistype. */
const FREE_COUNTS: Readonly<Record<NetworkWidth, number>> = { own: 5, near: 20, wide: 80 };
/** After this long without another wrong key a network's count begins again, in milliseconds. */
const FORGET_AFTER_MS = 60_000;
const DELAY_FIRST_MS = 1_000;
const DELAY_MAX_MS = 4_000;
/** How many networks of each width are remembered; the one unseen for longest is forgotten first. */
const NETWORKS_MAX = 10_000;

type Failures = { readonly count: number; readonly lastMs: number };

/** Delays refusals for addresses that try many keys. A good key never waits, whatever others at its address did. */
export class FailedKeys {
  readonly #failures = {
    own: new Map<string, Failures>(),
    near: new Map<string, Failures>(),
    wide: new Map<string, Failures>(),
  } as const;

  /** Counts a refused key. Returns how long to hold back the refusal, in milliseconds. */
  add(address: string, nowMs: number): number {
    const networks = networksOf(address);
    let delayMs = 0;
    for (const width of NETWORK_WIDTHS) {
      const network = networks[width];
      if (network === undefined) continue;
      const over = this.#count(this.#failures[width], network, nowMs) - FREE_COUNTS[width];
      if (over > 0) delayMs = Math.max(delayMs, Math.min(DELAY_MAX_MS, DELAY_FIRST_MS * 2 ** (over - 1)));
    }
    return delayMs;
  }

  #count(failures: Map<string, Failures>, network: string, nowMs: number): number {
    const before = failures.get(network);
    const count = before === undefined || nowMs - before.lastMs >= FORGET_AFTER_MS ? 1 : before.count + 1;
    failures.delete(network);
    failures.set(network, { count, lastMs: nowMs });
    const [oldest] = failures.keys();
    if (failures.size > NETWORKS_MAX && oldest !== undefined) failures.delete(oldest);
    return count;
  }
}
