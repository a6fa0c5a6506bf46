import { z } from "zod";
import type { Bus, BusMessage } from "../control/ports/bus.ts";
import { DomainError, OwnerUnavailableError } from "../control/ports/errors.ts";
import { type MoveBegun, type NodeMove, type NodeRecord, type Nodes, STAY_REASONS } from "../control/ports/nodes.ts";
import type { ClusterNode, Incarnation, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { OwnerState } from "../thread-protocol/targets/owner-states.ts";
import { type NodeReport, subjectsOf } from "./node-report.ts";
import { isUnknownWord, type NodeRpc } from "./node-rpc.ts";
import type { NodeSeen } from "./state/cluster-live-state.ts";

/** How long a node may take to say that it drains, in milliseconds: it stores that first. */
const ANSWER_MS = 3_000;
/** A node that was not heard for longer is silent, in milliseconds. */
const SILENT_MS = 6_000;
/** A lost node is listed for this long after the end of its lease: a day, in milliseconds. */
const LOST_SHOWN_MS = 86_400_000;
/** Broadcasts that stay, of which a node tells another one. */
const STAYING_MAX = 200;

const begun = z.object({
  moving: z.int().min(0),
  staying: z.array(z.object({ channelId: z.string().min(1).max(64), why: z.enum(STAY_REASONS) })).max(STAYING_MAX),
});

export type ClusterNodesDeps = {
  readonly self: Incarnation;
  readonly store: Pick<OwnershipStore, "listNodes">;
  readonly bus: Bus;
  readonly rpc: NodeRpc;
  /** What the other nodes said last. */
  readonly seen: () => readonly NodeSeen[];
  readonly ownReport: () => Omit<NodeReport, "no">;
  /** Begins to drain this node. */
  readonly drain: () => Promise<void>;
  /** Begins to move this node's broadcasts to the node `to`, or to others that take them. */
  readonly moveAll: (to: Incarnation | undefined) => MoveBegun;
};

/** The nodes of the cluster: who they are by the database, how they are by what they say. */
export class ClusterNodes implements Nodes {
  readonly #deps: ClusterNodesDeps;

  constructor(deps: ClusterNodesDeps) {
    this.#deps = deps;
    deps.rpc.on("drain", async () => {
      await deps.drain();
      return {};
    });
    deps.rpc.on("move", async () => told(deps.moveAll(undefined)));
    // A word of its own: a node that does not know it would choose the other node by itself.
    deps.rpc.on("move-to", async ({ to }) => {
      const read = z.int().min(1).safeParse(to);
      return read.success ? told(deps.moveAll(read.data)) : undefined;
    });
  }

  async list(): Promise<readonly NodeRecord[]> {
    const { self, store, seen, ownReport } = this.#deps;
    const heard = new Map(seen().map((each) => [each.incarnation, each]));
    const nodes = (await store.listNodes()).filter(isShown);
    return nodes.map((node) => {
      const isSelf = node.incarnation === self;
      const own = isSelf ? { report: ownReport(), heardAgoMs: 0 } : heard.get(node.incarnation);
      return recordOf(node, isSelf, own);
    });
  }

  /** The states of the nodes in this list of the database, with what they said last. */
  statesOf(nodes: readonly ClusterNode[]): readonly OwnerState[] {
    const { self, seen, ownReport } = this.#deps;
    const heard = new Map(seen().map((each) => [each.incarnation, each]));
    const own = { report: ownReport(), heardAgoMs: 0 };
    return nodes
      .filter(isShown)
      .map((node) => stateOf(node, node.incarnation === self ? own : heard.get(node.incarnation)));
  }

  async drain(incarnation: Incarnation): Promise<NodeRecord | undefined> {
    const found = this.#present(incarnation, await this.list());
    if (found === undefined) return undefined;
    if (incarnation === this.#deps.self) await this.#deps.drain();
    else await this.#ask(incarnation, { op: "drain" });
    const drained = await this.#again(found);
    // Its next heartbeat says so too.
    return { ...drained, state: drained.state === "SERVING" ? "DRAINING" : drained.state };
  }

  async moveChannels(incarnation: Incarnation, to?: Incarnation): Promise<NodeMove | undefined> {
    const { self, moveAll } = this.#deps;
    const nodes = await this.list();
    const found = this.#present(incarnation, nodes);
    if (found === undefined) return undefined;
    checkDestination(nodes, incarnation, to);
    if (incarnation === self) return { begun: moveAll(to), node: await this.#again(found) };
    const reply = await this.#ask(incarnation, to === undefined ? { op: "move" } : { op: "move-to", to });
    const read = begun.safeParse(reply);
    return { ...(read.success ? { begun: read.data } : {}), node: await this.#again(found) };
  }

  #present(incarnation: Incarnation, nodes: readonly NodeRecord[]): NodeRecord | undefined {
    const present = nodes.find((node) => node.incarnation === incarnation);
    return present?.state === "LOST" ? undefined : present;
  }

  /** Lets another node do something. Returns its reply. */
  async #ask(incarnation: Incarnation, question: BusMessage): Promise<BusMessage> {
    const reply = await this.#deps.bus.request(subjectsOf(incarnation).rpc, question, ANSWER_MS);
    if (reply.kind === "none")
      throw new OwnerUnavailableError(`the node ${incarnation} does not respond: ${reply.why}`);
    if (isUnknownWord(reply.message))
      throw new OwnerUnavailableError(`the node ${incarnation} does not know this command: its version is older`);
    return reply.message;
  }

  /** The node as it is now. */
  async #again(before: NodeRecord): Promise<NodeRecord> {
    return (await this.list()).find(({ incarnation }) => incarnation === before.incarnation) ?? before;
  }
}

/** Throws DomainError where no broadcast of this node can go there; `to` undefined: to any other node. */
function checkDestination(nodes: readonly NodeRecord[], from: Incarnation, to: Incarnation | undefined): void {
  if (to === undefined) {
    const isOther = ({ incarnation, state }: NodeRecord) => incarnation !== from && state === "SERVING";
    if (!nodes.some(isOther)) throw new DomainError({ kind: "no-other-node" });
    return;
  }
  if (to === from) throw new DomainError({ kind: "move-to-itself" });
  switch (nodes.find(({ incarnation }) => incarnation === to)?.state) {
    case "SERVING":
      return;
    case "DRAINING":
      throw new DomainError({ kind: "move-to-draining" });
    case "SILENT":
      throw new DomainError({ kind: "move-to-silent" });
    case "LOST":
      throw new DomainError({ kind: "move-to-lost" });
    case undefined:
      throw new DomainError({ kind: "move-to-unknown" });
  }
}

function told({ moving, staying }: MoveBegun): BusMessage {
  return { moving, staying: staying.slice(0, STAYING_MAX) };
}

/** Not those that left, nor those that were lost long ago. */
function isShown({ state, leaseLeftMs }: ClusterNode): boolean {
  return state !== "left" && (state !== "lost" || leaseLeftMs > -LOST_SHOWN_MS);
}

type Heard = { readonly report: Omit<NodeReport, "no">; readonly heardAgoMs: number };

function recordOf(node: ClusterNode, isSelf: boolean, heard: Heard | undefined): NodeRecord {
  const { incarnation, nodeId, version } = node;
  return {
    ...{ incarnation, nodeId, version, isSelf, state: stateOf(node, heard) },
    ...(heard === undefined ? {} : { heardAgoMs: heard.heardAgoMs, load: heard.report.load }),
  };
}

function stateOf({ state }: ClusterNode, heard: Heard | undefined): OwnerState {
  if (state === "lost") return "LOST";
  if (heard === undefined || heard.heardAgoMs >= SILENT_MS) return "SILENT";
  return state === "draining" || heard.report.state === "draining" ? "DRAINING" : "SERVING";
}
