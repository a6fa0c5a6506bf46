import { networkOf } from "../../base/networks.ts";

export type PlaceLimits = {
  /** Connections in all. */
  readonly connectionsMax: number;
  /** Connections of one address (of IPv6: of one /64) without an authenticated request. */
  readonly strangersPerAddressMax: number;
};

/** One connection, as those see it who give out the places. */
export interface Visitor {
  readonly address: string;
  /** Many people come from its address: it is this machine's own, or a trusted proxy's. */
  readonly isShared: boolean;
  /** Nothing of it is under way. */
  isIdle(): boolean;
  /** Its place is needed for another: closes without a word. */
  turnAway(): void;
}

/**
 * Who may be connected. Of those without an authenticated request the one that came first makes room for a newcomer: of the same address
 * where that has its share, else of any; those of shared addresses last, since anybody may be behind them. Who has authenticated gives way
 * only while it asks for nothing.
 */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits;
  readonly #strangers = new Set<Visitor>();
  readonly #sharedStrangers = new Set<Visitor>();
  readonly #byNetwork = new Map<string, Set<Visitor>>();
  readonly #known = new Set<Visitor>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** False where there is no room for this one. */
  enter(visitor: Visitor): boolean {
    const { connectionsMax, strangersPerAddressMax } = this.#limits;
    const neighbours = visitor.isShared ? undefined : this.#byNetwork.get(networkOf(visitor.address));
    if (neighbours !== undefined && neighbours.size >= strangersPerAddressMax) this.#turnAway(first(neighbours));
    if (this.#count >= connectionsMax) this.#turnAway(this.#leastNeeded());
    if (this.#count >= connectionsMax) return false;
    if (visitor.isShared) this.#sharedStrangers.add(visitor);
    else {
      this.#strangers.add(visitor);
      const network = networkOf(visitor.address);
      this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? new Set()).add(visitor));
    }
    return true;
  }

  /** It has sent an authenticated request. */
  recognise(visitor: Visitor): void {
    if (!this.#strangers.has(visitor) && !this.#sharedStrangers.has(visitor)) return;
    this.leave(visitor);
    this.#known.add(visitor);
  }

  /** Idempotent. */
  leave(visitor: Visitor): void {
    this.#known.delete(visitor);
    this.#sharedStrangers.delete(visitor);
    if (!this.#strangers.delete(visitor)) return;
    const network = networkOf(visitor.address);
    const neighbours = this.#byNetwork.get(network);
    neighbours?.delete(visitor);
    if (neighbours?.size === 0) this.#byNetwork.delete(network);
  }

  get #count(): number {
    return this.#strangers.size + this.#sharedStrangers.size + this.#known.size;
  }

  #leastNeeded(): Visitor | undefined {
    return first(this.#strangers) ?? first(this.#sharedStrangers) ?? this.#idleKnown();
  }

  #idleKnown(): Visitor | undefined {
    for (const visitor of this.#known) if (visitor.isIdle()) return visitor;
    return undefined;
  }

  #turnAway(visitor: Visitor | undefined): void {
    if (visitor === undefined) return;
    this.leave(visitor);
    visitor.turnAway();
  }
}

function first(visitors: ReadonlySet<Visitor>): Visitor | undefined {
  for (const visitor of visitors) return visitor;
  return undefined;
}
