import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ClusterNode, Incarnation, NewNode, NodeState, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { NodeDirectory } from "./node-directory.ts";

/** How long the database believes in a node that does not renew its lease, in milliseconds. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/** The same while the database is away: a failover may have lost this node, which takes no channels then. */
const RENEW_SOON_MS = 2_000;
/** Between two renewals that something else asks for, in milliseconds. */
const RENEW_PAUSE_MS = 1_000;
/** After the database was away every node needs time to renew its lease, in milliseconds. */
const GRACE_MS = 60_000;

export type NodeMembershipDeps = {
  readonly self: Incarnation;
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Pick<OwnershipStore, "renewLease" | "restoreNode" | "markLost" | "setNodeState">;
  /** What this node registers. */
  readonly node: () => NewNode;
  readonly nodes: NodeDirectory;
  /** Whether a node was heard of by another way lately: then its lease alone does not count. */
  readonly isHeard: (node: ClusterNode) => Promise<boolean>;
  /** This node noticed, as the only one, that another is lost. */
  readonly onLost: (node: ClusterNode) => void;
};

/** Renews this node's lease, follows the list of nodes, and notices those that are lost. */
export class NodeMembership {
  readonly #deps: NodeMembershipDeps;
  #timer: Timer | undefined;
  #isAway = false;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #graceUntilMs = Number.NEGATIVE_INFINITY;
  #state: NodeState = "serving";

  constructor(deps: NodeMembershipDeps) {
    this.#deps = deps;
  }

  /** The state of this node, as the database last said. */
  get state(): NodeState {
    return this.#state;
  }

  /** Reads the list of nodes, and renews the lease from now on. Rejects where the database cannot be asked. */
  async start(): Promise<void> {
    await this.#deps.nodes.refresh();
    this.#schedule();
  }

  /** Says that this node takes no more channels, or ends. Rejects where the database cannot be asked. */
  async setState(state: Exclude<NodeState, "lost">): Promise<void> {
    await this.#deps.store.setNodeState(this.#deps.self, state);
    this.#state = state;
  }

  /** Renews the lease now, unless that was done within the last second: the database may not know this node. */
  renewNow(): void {
    if (this.#deps.clock.now() - this.#renewedMs >= RENEW_PAUSE_MS) void this.#renew();
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(): void {
    this.#timer = this.#deps.clock.startTimer(this.#isAway ? RENEW_SOON_MS : RENEW_MS, () => {
      this.#schedule();
      void this.#renew();
    });
  }

  async #renew(): Promise<void> {
    this.#renewedMs = this.#deps.clock.now();
    const { clock, log, nodes } = this.#deps;
    try {
      await this.#renewLease();
      const list = await nodes.refresh();
      if (this.#isAway) this.#graceUntilMs = clock.now() + GRACE_MS;
      this.#isAway = false;
      if (clock.now() >= this.#graceUntilMs) await this.#noticeLost(list);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (!this.#isAway) log.warn("the lease of this node could not be renewed", { detail });
      this.#isAway = true;
    }
  }

  async #renewLease(): Promise<void> {
    const { self, log, store, node } = this.#deps;
    const state = await store.renewLease(self, LEASE_MS);
    if (state === undefined) {
      log.warn("the database did not know this node: registered again", { incarnation: self });
      await store.restoreNode(self, node(), LEASE_MS);
    }
    // Only this node ends its draining. The database may have lost that it drains, or have counted it as lost meanwhile.
    if (this.#state === "draining" && state !== "draining") return await store.setNodeState(self, "draining");
    this.#state = state ?? "serving";
  }

  async #noticeLost(nodes: readonly ClusterNode[]): Promise<void> {
    const { self, log, store, isHeard, onLost } = this.#deps;
    for (const node of nodes) {
      const isOver =
        node.incarnation !== self && node.leaseLeftMs < 0 && node.state !== "left" && node.state !== "lost";
      if (!isOver || (await isHeard(node))) continue;
      if (!(await store.markLost(node.incarnation))) continue;
      log.warn("a node is lost", { node: node.nodeId, incarnation: node.incarnation });
      onLost(node);
    }
  }
}
