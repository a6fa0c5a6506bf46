import { networkOf } from "../../base/networks.ts";

/** Handshake packets in a second: of one network, and of all together. Savings last for two seconds. */
const PER_NETWORK = 100;
const TOTAL = 5_000;
const SAVED_SECONDS = 2;
/** How many networks are remembered; the one unseen for longest is forgotten first. */
const NETWORKS_MAX = 10_000;

/** A number of packets in a second, of which two seconds may be saved. */
export class PacketBudget {
  readonly #perSecond: number;
  #count: number;
  #atMs: number;

  constructor(perSecond: number, nowMs = 0) {
    this.#perSecond = perSecond;
    this.#count = perSecond * SAVED_SECONDS;
    this.#atMs = nowMs;
  }

  /** Takes one packet. Returns false where there were too many. */
  take(nowMs: number): boolean {
    const saved = this.#count + ((nowMs - this.#atMs) * this.#perSecond) / 1_000;
    this.#count = Math.min(this.#perSecond * SAVED_SECONDS, saved);
    this.#atMs = nowMs;
    if (this.#count < 1) return false;
    this.#count -= 1;
    return true;
  }
}

/**
 * Bounds what handshakes cost: those of one network, and of all. Packets beyond it are dropped without a reply; callers
 * repeat theirs. One budget is for first packets, whose senders may be made up; another one for packets with a good
 * cookie, whose senders are real.
 */
export class CallBudget {
  readonly #networks = new Map<string, PacketBudget>();
  readonly #total = new PacketBudget(TOTAL);

  /** Takes one packet. Returns false where there were too many. One network alone does not use up the total. */
  take(address: string, nowMs: number): boolean {
    const network = networkOf(address);
    const own = this.#networks.get(network) ?? new PacketBudget(PER_NETWORK, nowMs);
    this.#networks.delete(network);
    this.#networks.set(network, own);
    if (this.#networks.size > NETWORKS_MAX) {
      const [oldest] = this.#networks.keys();
      if (oldest !== undefined) this.#networks.delete(oldest);
    }
    return own.take(nowMs) && this.#total.take(nowMs);
  }
}
