import { networkOf } from "../../base/networks.ts";

export type PlaceLimits = {
  /** Connections in total. */
  readonly connectionsMax: number;
  /** Connections of one address (IPv6: one /64) without an authenticated request. */
  readonly unauthenticatedPerAddressMax: number;
};

/** A connection that has a place, or asks for one. */
export interface PlacedConnection {
  readonly address: string;
  /** Many clients share its address: it is this machine's own, or a trusted proxy's. */
  readonly isShared: boolean;
  /** Whether it has nothing under way. */
  isIdle(): boolean;
  /** Another connection needs its place: closes without a message. */
  turnAway(): void;
}

/**
 * The places for connections. A newcomer gets the place of the oldest connection without an authenticated request: of
 * its own address if that has used its share, else of any address. Those of shared addresses come last, because many
 * clients may be behind them. An authenticated connection loses its place only while it is idle.
 */
export class ConnectionPlaces {
  readonly #limits: PlaceLimits;
  readonly #unauthenticated = new Set<PlacedConnection>();
  readonly #unauthenticatedShared = new Set<PlacedConnection>();
  readonly #byNetwork = new Map<string, Set<PlacedConnection>>();
  readonly #known = new Set<PlacedConnection>();

  constructor(limits: PlaceLimits) {
    this.#limits = limits;
  }

  /** Returns false where there is no room for this connection. */
  enter(connection: PlacedConnection): boolean {
    const { connectionsMax, unauthenticatedPerAddressMax } = this.#limits;
    const neighbours = connection.isShared ? undefined : this.#byNetwork.get(networkOf(connection.address));
    if (neighbours !== undefined && neighbours.size >= unauthenticatedPerAddressMax) this.#turnAway(first(neighbours));
    if (this.#count >= connectionsMax) this.#turnAway(this.#leastNeeded());
    if (this.#count >= connectionsMax) return false;
    if (connection.isShared) this.#unauthenticatedShared.add(connection);
    else {
      this.#unauthenticated.add(connection);
      const network = networkOf(connection.address);
      this.#byNetwork.set(network, (this.#byNetwork.get(network) ?? new Set()).add(connection));
    }
    return true;
  }

  /** The connection has sent an authenticated request. */
  recognise(connection: PlacedConnection): void {
    if (!this.#unauthenticated.has(connection) && !this.#unauthenticatedShared.has(connection)) return;
    this.leave(connection);
    this.#known.add(connection);
  }

  /** Idempotent. */
  leave(connection: PlacedConnection): void {
    this.#known.delete(connection);
    this.#unauthenticatedShared.delete(connection);
    if (!this.#unauthenticated.delete(connection)) return;
    const network = networkOf(connection.address);
    const neighbours = this.#byNetwork.get(network);
    neighbours?.delete(connection);
    if (neighbours?.size === 0) this.#byNetwork.delete(network);
  }

  get #count(): number {
    return this.#unauthenticated.size + this.#unauthenticatedShared.size + this.#known.size;
  }

  #leastNeeded(): PlacedConnection | undefined {
    return first(this.#unauthenticated) ?? first(this.#unauthenticatedShared) ?? this.#idleKnown();
  }

  #idleKnown(): PlacedConnection | undefined {
    for (const connection of this.#known) if (connection.isIdle()) return connection;
    return undefined;
  }

  #turnAway(connection: PlacedConnection | undefined): void {
    if (connection === undefined) return;
    this.leave(connection);
    connection.turnAway();
  }
}

function first(connections: ReadonlySet<PlacedConnection>): PlacedConnection | undefined {
  for (const connection of connections) return connection;
  return undefined;
}
