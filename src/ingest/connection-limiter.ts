import { networkOf } from "../base/networks.ts";

/** Encoders are few; more connections than this are an attack or a loop. */
const CONNECTIONS_MAX = 4_096;
/** A machine has a few encoders, an office behind one address some dozen: they publish within a second and count no more. */
const STRANGERS_PER_ADDRESS_MAX = 64;

export type ConnectionLimits = {
  /** Connections in all. */
  readonly connectionsMax?: number;
  /** Connections of one address that have not shown a good key yet. */
  readonly strangersPerAddressMax?: number;
};

/** How many connections the other media threads have; they are told how many this one has. */
export interface ConnectionTally {
  tell(count: number): void;
  elsewhere(): number;
}

const ALONE: ConnectionTally = { tell: () => undefined, elsewhere: () => 0 };

/** One connection, as the door sees it. */
export interface Visitor {
  readonly address: string;
  /** The place is needed for another: closes without a word. */
  turnAway(): void;
}

/**
 * Who may be connected. Whoever has shown a good key stays; of the others the one that came first makes room for a newcomer,
 * of the same address where that has too many: an encoder needs a second to publish, and who only holds connections has been
 * there for longer.
 */
export class ConnectionLimiter {
  readonly #connectionsMax: number;
  readonly #strangersPerAddressMax: number;
  readonly #strangers = new Set<Visitor>();
  readonly #strangersByAddress = new Map<string, Set<Visitor>>();
  readonly #known = new Set<Visitor>();
  readonly #tally: ConnectionTally;

  constructor(
    { connectionsMax = CONNECTIONS_MAX, strangersPerAddressMax = STRANGERS_PER_ADDRESS_MAX }: ConnectionLimits,
    tally: ConnectionTally = ALONE,
  ) {
    this.#tally = tally;
    this.#connectionsMax = connectionsMax;
    this.#strangersPerAddressMax = strangersPerAddressMax;
  }

  /** False where there is no room for this one. */
  enter(visitor: Visitor): boolean {
    const neighbours = this.#strangersByAddress.get(networkOf(visitor.address));
    if (neighbours !== undefined && neighbours.size >= this.#strangersPerAddressMax) this.#makeRoom(neighbours);
    if (this.#isFull()) this.#makeRoom(this.#strangers);
    if (this.#isFull()) return false;
    this.#strangers.add(visitor);
    this.#tellCount();
    const network = networkOf(visitor.address);
    const present = this.#strangersByAddress.get(network) ?? new Set();
    this.#strangersByAddress.set(network, present.add(visitor));
    return true;
  }

  /** It has shown a good key. */
  recognise(visitor: Visitor): void {
    if (!this.#strangers.has(visitor)) return;
    this.leave(visitor);
    this.#known.add(visitor);
    this.#tellCount();
  }

  leave(visitor: Visitor): void {
    this.#known.delete(visitor);
    this.#strangers.delete(visitor);
    const network = networkOf(visitor.address);
    const present = this.#strangersByAddress.get(network);
    present?.delete(visitor);
    if (present?.size === 0) this.#strangersByAddress.delete(network);
    this.#tellCount();
  }

  get #count(): number {
    return this.#strangers.size + this.#known.size;
  }

  #isFull(): boolean {
    return this.#count + this.#tally.elsewhere() >= this.#connectionsMax;
  }

  #tellCount(): void {
    this.#tally.tell(this.#count);
  }

  #makeRoom(among: ReadonlySet<Visitor>): void {
    const [first] = among;
    if (first === undefined) return;
    this.leave(first);
    first.turnAway();
  }
}
