import { networkOf } from "../../base/networks.ts";

/** Handshake packets in a second: of one network, and of all together. Savings last for two seconds. */
const PER_NETWORK = 100;
const TOTAL = 5_000;
const SAVED_SECONDS = 2;
/** How many networks are remembered; the one unseen for longest is forgotten first. */
const NETWORKS_MAX = 10_000;

type Tokens = { count: number; atMs: number };

/**
 * Bounds what handshakes cost: those of one network, and of all. Packets beyond it are dropped without a reply; callers
 * repeat theirs. One budget serves first packets, another one those with a cookie, whose address is real.
 */
export class CallBudget {
  readonly #networks = new Map<string, Tokens>();
  readonly #total: Tokens = { count: TOTAL * SAVED_SECONDS, atMs: 0 };

  /** Takes one packet. Returns false where there were too many. */
  take(address: string, nowMs: number): boolean {
    if (!takeToken(this.#total, TOTAL, nowMs)) return false;
    const network = networkOf(address);
    const tokens = this.#networks.get(network) ?? { count: PER_NETWORK * SAVED_SECONDS, atMs: nowMs };
    this.#networks.delete(network);
    this.#networks.set(network, tokens);
    if (this.#networks.size > NETWORKS_MAX) {
      const [oldest] = this.#networks.keys();
      if (oldest !== undefined) this.#networks.delete(oldest);
    }
    return takeToken(tokens, PER_NETWORK, nowMs);
  }
}

function takeToken(tokens: Tokens, perSecond: number, nowMs: number): boolean {
  tokens.count = Math.min(perSecond * SAVED_SECONDS, tokens.count + ((nowMs - tokens.atMs) * perSecond) / 1_000);
  tokens.atMs = nowMs;
  if (tokens.count < 1) return false;
  tokens.count -= 1;
  return true;
}
