import { StoreUnavailableError } from "../../../src/control/ports/errors.ts";
import type {
  ChannelOwner,
  ClaimResult,
  ClusterNode,
  Incarnation,
  NewNode,
  NodeState,
  OwnershipRow,
  OwnershipStore,
} from "../../../src/control/ports/ownership-store.ts";

type Row = { incarnation: Incarnation | undefined; home: number; epoch: number; claimedMs: number; writtenMs: number };
type NodeRow = { node: NewNode; state: NodeState; leaseUntilMs: number };
type State = { readonly rows: Map<string, Row>; readonly nodes: Map<Incarnation, NodeRow> };

/** Epochs of one timeline: more than a failover can lose. */
const EPOCHS = 2 ** 40;

/** What a fault in the program would do. */
export type Mutant =
  | "no-seen-epoch"
  | "row-deleted"
  | "no-check-after-freeze"
  | "no-kernel-asked"
  | "no-end-of-hold"
  | "former-told-once"
  | "nobody-counts-as-silent"
  | undefined;

/** PostgreSQL as this design uses it: statements one after another, each at once. May lose its last commits. */
export class SharedDatabase {
  isAway = false;
  /** Since when it is reachable. */
  sinceMs = 0;
  /** Whether a failover ever lost commits. */
  hasLostCommits = false;
  /** When it last did. */
  lostMs = Number.NEGATIVE_INFINITY;
  /** The settings of every channel. */
  revision = 1;
  /** The highest epoch that was ever committed, by channel; a failover that loses commits sets it back. */
  readonly highest = new Map<string, number>();
  readonly violations: string[] = [];
  readonly #mutant: Mutant;
  readonly #now: () => number;
  #state: State = { rows: new Map(), nodes: new Map() };
  #standby: State | undefined;
  #lastIncarnation = 0;
  /** Rises with each failover, as the timeline of the server does. */
  #lowestEpoch = 1;
  /** The highest epoch that a claim ever got, by channel; a failover does not set it back. */
  readonly #claimed = new Map<string, number>();
  /** Called before each claim that replaces an owner. */
  onTake: (channelId: string, former: Incarnation, epoch: number, by: Incarnation) => void = () => undefined;

  constructor(now: () => number, mutant: Mutant) {
    this.#now = now;
    this.#mutant = mutant;
  }

  setAway(isAway: boolean): void {
    this.isAway = isAway;
    if (!isAway) this.sinceMs = this.#now();
  }

  /** From now on a standby is this far behind, until `failOver`. */
  markStandby(): void {
    const { rows, nodes } = this.#state;
    this.#standby = {
      rows: new Map([...rows].map(([id, row]) => [id, { ...row }])),
      nodes: new Map([...nodes].map(([id, row]) => [id, { ...row }])),
    };
  }

  /** The standby takes over: what was committed since is lost. Nodes of this time must be known to it. */
  failOver(): void {
    const standby = this.#standby;
    if (standby === undefined) return;
    for (const [id, row] of this.#state.nodes) standby.nodes.set(id, row);
    this.#state = standby;
    this.hasLostCommits = true;
    this.lostMs = this.#now();
    this.#standby = undefined;
    this.#lowestEpoch += EPOCHS;
    for (const [id, { epoch }] of standby.rows) this.highest.set(id, epoch);
    for (const id of this.highest.keys()) if (!standby.rows.has(id)) this.highest.delete(id);
  }

  ownerOf(channelId: string): Row | undefined {
    return this.#state.rows.get(channelId);
  }

  addNode(node: NewNode, leaseMs: number): Incarnation {
    this.#lastIncarnation += 1;
    const row: NodeRow = { node, state: "serving", leaseUntilMs: this.#now() + leaseMs };
    this.#state.nodes.set(this.#lastIncarnation, row);
    return this.#lastIncarnation;
  }

  run(statement: keyof OwnershipStore, values: readonly unknown[]): unknown {
    const run: (...values: readonly never[]) => unknown = this.#statements[statement];
    return run(...(values as readonly never[]));
  }

  readonly #statements = {
    addNode: (node: NewNode, leaseMs: number) => this.addNode(node, leaseMs),
    renewLease: (incarnation: Incarnation, leaseMs: number): NodeState => {
      const row = this.#state.nodes.get(incarnation);
      if (row === undefined) throw new Error("no such node");
      row.leaseUntilMs = this.#now() + leaseMs;
      if (row.state === "lost") row.state = "serving";
      return row.state;
    },
    restoreNode: (incarnation: Incarnation, node: NewNode, leaseMs: number) => {
      this.#state.nodes.set(incarnation, { node, state: "serving", leaseUntilMs: this.#now() + leaseMs });
    },
    raiseRevision: (_channelId: string, above: number) => {
      this.revision = Math.max(this.revision, above + 1);
    },
    setNodeState: (incarnation: Incarnation, state: NodeState) => {
      const row = this.#state.nodes.get(incarnation);
      if (row !== undefined) row.state = state;
    },
    markLost: (incarnation: Incarnation): boolean => {
      const row = this.#state.nodes.get(incarnation);
      if (row === undefined || row.leaseUntilMs > this.#now()) return false;
      if (row.state !== "serving" && row.state !== "draining") return false;
      row.state = "lost";
      return true;
    },
    listNodes: (): readonly ClusterNode[] =>
      [...this.#state.nodes].map(([incarnation, { node, state, leaseUntilMs }]) => ({
        ...node,
        ...{ incarnation, state, leaseLeftMs: leaseUntilMs - this.#now() },
      })),
    listUnfinished: () => [],
    findOwner: (channelId: string): OwnershipRow | undefined => this.#read(channelId),
    compare: (channelIds: readonly string[]) =>
      channelIds.flatMap((channelId) => {
        const row = this.#read(channelId);
        return row === undefined ? [] : [{ ...row, revision: this.revision }];
      }),
    claim: (channelId: string, owner: ChannelOwner, seenEpoch: number): ClaimResult => {
      const row = this.#state.rows.get(channelId);
      const epoch = row?.epoch ?? 0;
      if (this.#state.nodes.get(owner.incarnation)?.state !== "serving") return { kind: "taken" };
      if (epoch !== seenEpoch && this.#mutant !== "no-seen-epoch") return { kind: "taken" };
      const former = row?.incarnation === undefined ? {} : { former: { incarnation: row.incarnation, epoch } };
      if (row?.incarnation !== undefined) this.onTake(channelId, row.incarnation, epoch, owner.incarnation);
      const next = Math.max(epoch + 1, this.#lowestEpoch);
      if (next <= (this.#claimed.get(channelId) ?? 0))
        this.violations.push(`I2: the epoch ${next} of ${channelId} was claimed twice`);
      this.#claimed.set(channelId, next);
      this.#write(channelId, { ...owner, epoch: next, claimedMs: this.#now(), writtenMs: this.#now() });
      return { kind: "owned", epoch: next, revision: this.revision, ...former };
    },
    assertOwner: (channelId: string, owner: ChannelOwner, epoch: number): boolean => {
      const row = this.#state.rows.get(channelId);
      const isLower =
        row === undefined || row.epoch < epoch || (row.epoch === epoch && (row.incarnation ?? 0) < owner.incarnation);
      if (isLower) this.#write(channelId, { ...owner, epoch, claimedMs: 0, writtenMs: this.#now() });
      return isLower;
    },
    release: (channelId: string, incarnation: Incarnation, epoch: number) => {
      const row = this.#state.rows.get(channelId);
      if (row?.incarnation !== incarnation || row.epoch !== epoch) return;
      if (this.#mutant === "row-deleted") this.#state.rows.delete(channelId);
      else row.incarnation = undefined;
    },
  };

  #read(channelId: string): OwnershipRow | undefined {
    const row = this.#state.rows.get(channelId);
    if (row === undefined) return undefined;
    const { incarnation, home, epoch } = row;
    return { channelId, epoch, ...(incarnation === undefined ? {} : { owner: { incarnation, home } }) };
  }

  #write(channelId: string, row: Row): void {
    const before = this.highest.get(channelId) ?? 0;
    if (row.epoch < before || (row.epoch === before && this.#state.rows.get(channelId)?.epoch !== row.epoch)) {
      this.violations.push(`I2: the epoch of ${channelId} fell from ${before} to ${row.epoch}`);
    }
    this.highest.set(channelId, Math.max(before, row.epoch));
    this.#state.rows.set(channelId, row);
  }
}

/** What a driver throws when the server does not answer. */
export function unreachable(): StoreUnavailableError {
  return new StoreUnavailableError("unreachable");
}
