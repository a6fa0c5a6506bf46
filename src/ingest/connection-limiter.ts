import { networkOf } from "../base/networks.ts";

/** Encoders are few; more connections than this are an attack or a loop. */
const CONNECTIONS_MAX = 4_096;
/**
 * A machine has a few encoders, an office behind one address some dozens. They publish within a second and no longer
 * count.
 */
const UNAUTHENTICATED_PER_ADDRESS_MAX = 64;

export type ConnectionLimits = {
  /** All connections together. */
  readonly connectionsMax?: number;
  /** Connections of one address (IPv6: one /64) without a good key yet. */
  readonly unauthenticatedPerAddressMax?: number;
};

/** How many connections the other media threads have. */
export interface ConnectionTally {
  /** This thread has so many. */
  onCount(count: number): void;
  /** All others together have so many. */
  elsewhere(): number;
}

const ALONE: ConnectionTally = { onCount: () => undefined, elsewhere: () => 0 };

/** A connection as the limiter sees it. */
export interface Connection {
  readonly address: string;
  /** Another connection needs the place: close without a message. */
  turnAway(): void;
}

/**
 * Decides which connections may stay. A connection with a good key stays. Of the others the oldest makes room for a
 * newcomer, first among those of the newcomer's address if that has too many: an encoder publishes within a second, and
 * a peer that only holds connections has been there for longer.
 */
export class ConnectionLimiter {
  readonly #connectionsMax: number;
  readonly #unauthenticatedPerAddressMax: number;
  readonly #unauthenticated = new Set<Connection>();
  readonly #unauthenticatedByNetwork = new Map<string, Set<Connection>>();
  readonly #known = new Set<Connection>();
  readonly #tally: ConnectionTally;

  constructor(
    {
      connectionsMax = CONNECTIONS_MAX,
      unauthenticatedPerAddressMax = UNAUTHENTICATED_PER_ADDRESS_MAX,
    }: ConnectionLimits,
    tally: ConnectionTally = ALONE,
  ) {
    this.#tally = tally;
    this.#connectionsMax = connectionsMax;
    this.#unauthenticatedPerAddressMax = unauthenticatedPerAddressMax;
  }

  /** Takes a new connection in. Returns false where there is no room. */
  enter(connection: Connection): boolean {
    const network = networkOf(connection.address);
    const neighbours = this.#unauthenticatedByNetwork.get(network);
    if (neighbours !== undefined && neighbours.size >= this.#unauthenticatedPerAddressMax) this.#makeRoom(neighbours);
    if (this.#isFull()) this.#makeRoom(this.#unauthenticated);
    if (this.#isFull()) return false;
    this.#unauthenticated.add(connection);
    this.#reportCount();
    const present = this.#unauthenticatedByNetwork.get(network) ?? new Set();
    this.#unauthenticatedByNetwork.set(network, present.add(connection));
    return true;
  }

  /** The connection has shown a good key. Does nothing for one that has left. */
  recognise(connection: Connection): void {
    if (!this.#unauthenticated.has(connection)) return;
    this.leave(connection);
    this.#known.add(connection);
    this.#reportCount();
  }

  /** The connection is closed. Idempotent. */
  leave(connection: Connection): void {
    this.#known.delete(connection);
    this.#unauthenticated.delete(connection);
    const network = networkOf(connection.address);
    const present = this.#unauthenticatedByNetwork.get(network);
    present?.delete(connection);
    if (present?.size === 0) this.#unauthenticatedByNetwork.delete(network);
    this.#reportCount();
  }

  get #count(): number {
    return this.#unauthenticated.size + this.#known.size;
  }

  #isFull(): boolean {
    return this.#count + this.#tally.elsewhere() >= this.#connectionsMax;
  }

  #reportCount(): void {
    this.#tally.onCount(this.#count);
  }

  #makeRoom(among: ReadonlySet<Connection>): void {
    const [oldest] = among;
    if (oldest === undefined) return;
    this.leave(oldest);
    oldest.turnAway();
  }
}
