import type { Bus } from "../control/ports/bus.ts";
import { OwnerUnavailableError } from "../control/ports/errors.ts";
import type { NodeRecord, Nodes } from "../control/ports/nodes.ts";
import type { ClusterNode, Incarnation, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { OwnerState } from "../thread-protocol/targets/owner-states.ts";
import { type NodeReport, subjectsOf } from "./node-report.ts";
import { isUnknownWord, type NodeRpc } from "./node-rpc.ts";
import type { NodeSeen } from "./state/cluster-live-state.ts";

/** How long a node may take to say that it drains, in milliseconds: it stores that first. */
const ANSWER_MS = 3_000;
/** A node that was not heard for longer is silent, in milliseconds. */
const SILENT_MS = 6_000;

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
  /** Begins to move this node's broadcasts to other nodes. */
  readonly moveAll: () => void;
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
    deps.rpc.on("move", async () => {
      deps.moveAll();
      return {};
    });
  }

  async list(): Promise<readonly NodeRecord[]> {
    const { self, store, seen, ownReport } = this.#deps;
    const heard = new Map(seen().map((each) => [each.incarnation, each]));
    const nodes = (await store.listNodes()).filter(({ state }) => state !== "left");
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
      .filter(({ state }) => state !== "left")
      .map((node) => stateOf(node, node.incarnation === self ? own : heard.get(node.incarnation)));
  }

  async drain(incarnation: Incarnation): Promise<NodeRecord | undefined> {
    const found = await this.#tell(incarnation, "drain", this.#deps.drain);
    // Its next heartbeat says so too.
    return found === undefined ? undefined : { ...found, state: found.state === "SERVING" ? "DRAINING" : found.state };
  }

  moveChannels(incarnation: Incarnation): Promise<NodeRecord | undefined> {
    return this.#tell(incarnation, "move", async () => this.#deps.moveAll());
  }

  /** Lets a node do something; `own`: where it is this one. Returns it as it is then. */
  async #tell(incarnation: Incarnation, op: string, own: () => Promise<void>): Promise<NodeRecord | undefined> {
    const { self, bus } = this.#deps;
    const present = (await this.list()).find((node) => node.incarnation === incarnation);
    if (present === undefined || present.state === "LOST") return undefined;
    if (incarnation === self) await own();
    else {
      const reply = await bus.request(subjectsOf(incarnation).rpc, { op }, ANSWER_MS);
      if (reply.kind === "none") {
        throw new OwnerUnavailableError(`the node ${incarnation} does not respond: ${reply.why}`);
      }
      if (isUnknownWord(reply.message)) {
        throw new OwnerUnavailableError(`the node ${incarnation} does not know this command: its version is older`);
      }
    }
    return (await this.list()).find((node) => node.incarnation === incarnation) ?? present;
  }
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
