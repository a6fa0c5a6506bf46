import type { ClusterNode, Incarnation, NodeState, OwnershipStore } from "../control/ports/ownership-store.ts";

/** The nodes as the database last listed them, and where their threads listen. */
export class NodeDirectory {
  readonly #store: Pick<OwnershipStore, "listNodes">;
  #nodes = new Map<Incarnation, ClusterNode>();

  constructor(store: Pick<OwnershipStore, "listNodes">) {
    this.#store = store;
  }

  /** Reads the list again. Rejects where the database cannot be asked. */
  async refresh(): Promise<readonly ClusterNode[]> {
    const nodes = await this.#store.listNodes();
    this.#nodes = new Map(nodes.map((node) => [node.incarnation, node]));
    return nodes;
  }

  /** The nodes of the last list. */
  get known(): readonly ClusterNode[] {
    return [...this.#nodes.values()];
  }

  /** A node that is not known yet may have started since the last list: it counts as serving. */
  stateOf(incarnation: Incarnation): NodeState | undefined {
    return this.#nodes.get(incarnation)?.state ?? "serving";
  }

  /** The same; undefined where the last list does not have the node: it is new, or it left and owns nothing. */
  listedStateOf(incarnation: Incarnation): NodeState | undefined {
    return this.#nodes.get(incarnation)?.state;
  }

  /** The other nodes of the last list that run, as far as it says. */
  othersOf(self: Incarnation): readonly Incarnation[] {
    return this.known.flatMap(({ incarnation, state }) =>
      incarnation !== self && (state === "serving" || state === "draining") ? [incarnation] : [],
    );
  }

  /** `host:port` of a node's thread. Undefined where the node is not in the list, even read anew. */
  async addressOf(incarnation: Incarnation, home: number): Promise<string | undefined> {
    const known = this.knownAddressOf(incarnation, home);
    if (known !== undefined) return known;
    await this.refresh();
    return this.knownAddressOf(incarnation, home);
  }

  /** The same from the last list. */
  knownAddressOf(incarnation: Incarnation, home: number): string | undefined {
    return this.#nodes.get(incarnation)?.advertise[home];
  }
}
