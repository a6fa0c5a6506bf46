import type { Clock, Timer } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { ClusterNode, Incarnation, NewNode, NodeState, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { NodeDirectory } from "./node-directory.ts";

/** How long the database believes in a node that does not renew its lease, in milliseconds. */
export const LEASE_MS = 30_000;
const RENEW_MS = 10_000;
/**
 * A renewal that failed is tried again after this long, and then after twice as long each time, up to the next one: a failover of
 * the database may have lost this node, which takes no channels then. In milliseconds.
 */
const RENEW_AGAIN_MS = 500;
const RENEW_AGAIN_MS_MAX = 2_000;
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
  #againMs = RENEW_AGAIN_MS;
  /** Renewals begun: the last one plans the next. */
  #renewals = 0;
  #isStopped = false;
  #renewedMs = Number.NEGATIVE_INFINITY;
  #graceUntilMs = Number.NEGATIVE_INFINITY;
  #state: NodeState = "serving";

  constructor(deps: NodeMembershipDeps) {
    this.#deps = deps;
  }

  /** The state of this node: as it wants to be, else as the database last said. */
  get state(): NodeState {
    return this.#state;
  }

  /** Reads the list of nodes, and renews the lease from now on. Rejects where the database cannot be asked. */
  async start(): Promise<void> {
    await this.#deps.nodes.refresh();
    this.#schedule(RENEW_MS);
  }

  /**
   * This node takes no more channels, or ends. Rejects where the database cannot be asked: the next renewal says it again, and
   * this node keeps to it meanwhile.
   */
  async setState(state: Exclude<NodeState, "lost">): Promise<void> {
    this.#state = state;
    await this.#deps.store.setNodeState(this.#deps.self, state);
  }

  /** Renews the lease now, unless that was done within the last second: the database may not know this node. */
  renewNow(): void {
    if (this.#deps.clock.now() - this.#renewedMs >= RENEW_PAUSE_MS) void this.#keep();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #schedule(delayMs: number): void {
    this.#timer = this.#deps.clock.startTimer(delayMs, () => void this.#keep());
  }

  /** Renews the lease, and plans the next renewal. */
  async #keep(): Promise<void> {
    this.#timer?.cancel();
    this.#renewals += 1;
    const renewal = this.#renewals;
    this.#renewedMs = this.#deps.clock.now();
    const nodes = await this.#renew();
    const isRenewed = nodes !== undefined;
    if (!this.#isStopped && renewal === this.#renewals) {
      this.#schedule(isRenewed ? RENEW_MS : this.#againMs);
      this.#againMs = isRenewed ? RENEW_AGAIN_MS : Math.min(RENEW_AGAIN_MS_MAX, 2 * this.#againMs);
    }
    // Each lost node takes seconds: the next renewal does not wait for that.
    if (isRenewed && this.#deps.clock.now() >= this.#graceUntilMs) await this.#noticeLost(nodes);
  }

  /** Returns the nodes; undefined where the database did not take it. */
  async #renew(): Promise<readonly ClusterNode[] | undefined> {
    const { clock, nodes } = this.#deps;
    try {
      await this.#renewLease();
      const list = await nodes.refresh();
      if (this.#isAway) this.#graceUntilMs = clock.now() + GRACE_MS;
      this.#isAway = false;
      return list;
    } catch (error) {
      if (!this.#isAway) this.#logFailure("the lease of this node could not be renewed", error);
      this.#isAway = true;
      return undefined;
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
    try {
      for (const node of nodes) {
        const isOver =
          node.incarnation !== self && node.leaseLeftMs < 0 && node.state !== "left" && node.state !== "lost";
        if (!isOver || (await isHeard(node))) continue;
        if (!(await store.markLost(node.incarnation))) continue;
        log.warn("a node is lost", { node: node.nodeId, incarnation: node.incarnation });
        onLost(node);
      }
    } catch (error) {
      this.#logFailure("lost nodes could not be noticed", error);
    }
  }

  #logFailure(event: string, error: unknown): void {
    this.#deps.log.warn(event, { detail: error instanceof Error ? error.message : String(error) });
  }
}
