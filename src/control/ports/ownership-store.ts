import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** The number of one process among all that ever used the database; a newer process has a higher one. */
export type Incarnation = number;

/**
 * `serving`: takes new channels. `draining`: keeps its channels and takes no new ones. `left`: ended properly. `lost`:
 * its lease ran out and another node noticed that.
 */
export const NODE_STATES = ["serving", "draining", "left", "lost"] as const;
export type NodeState = (typeof NODE_STATES)[number];

/** What a node registers when it starts. */
export type NewNode = {
  /** A label for people; the two processes of an upgrade share it. */
  readonly nodeId: string;
  /** The addresses at which other nodes reach its media threads: `host:port`, by thread. */
  readonly advertise: readonly string[];
  readonly version: string;
  /** The newest migration step that its program knows. */
  readonly schemaStep: string;
  /** The encryption keys that it has, the one that it seals with first. */
  readonly keyIds: readonly string[];
};

export type ClusterNode = NewNode & {
  readonly incarnation: Incarnation;
  readonly state: NodeState;
  /** For how many milliseconds its lease still runs, by the database's clock; below 0: its lease is over. */
  readonly leaseLeftMs: number;
};

/** The owner of a channel: a process, and one of its media threads. */
export type ChannelOwner = { readonly incarnation: Incarnation; readonly home: number };

/** A former owner, with the epoch of its ownership. */
type FormerOwner = { readonly incarnation: Incarnation; readonly epoch: number };

/** `epoch` is that of the last ownership; `owner` is absent where it has ended. */
export type OwnershipRow = { readonly channelId: ChannelId; readonly epoch: number; readonly owner?: ChannelOwner };

/** `revision`: of the channel's settings. `isFinished`: other nodes have ended what the last owner began. */
export type ComparedRow = OwnershipRow & { readonly revision: number; readonly isFinished?: boolean };

/** `taken`: the epoch has changed, the channel is not live, or the node does not serve. Read again. */
export type ClaimResult =
  | { readonly kind: "owned"; readonly epoch: number; readonly revision: number; readonly former?: FormerOwner }
  | { readonly kind: "taken" };

/**
 * The common knowledge of several nodes: which nodes there are, and which of them owns each channel. Epochs only rise,
 * rows are never deleted, and times are the database's. Every call may reject with StoreUnavailableError.
 */
export interface OwnershipStore {
  /** Adds a serving node. `leaseMs`: how long its lease runs without a renewal, in milliseconds. */
  addNode(node: NewNode, leaseMs: number): Promise<Incarnation>;
  /**
   * Renews a node's lease and returns its state. A node that counted as lost serves again. Undefined for a node that the
   * database does not know: a failover lost it.
   */
  renewLease(incarnation: Incarnation, leaseMs: number): Promise<NodeState | undefined>;
  /** Adds a node again that a failover of the database lost. */
  restoreNode(incarnation: Incarnation, node: NewNode, leaseMs: number): Promise<void>;
  setNodeState(incarnation: Incarnation, state: Exclude<NodeState, "lost">): Promise<void>;
  /** Marks a node as lost whose lease is over. True for the only caller that did. */
  markLost(incarnation: Incarnation): Promise<boolean>;
  /** Returns the nodes that serve, drain, or were lost; those that left only while they own a channel. */
  listNodes(): Promise<readonly ClusterNode[]>;
  /** Makes this node's thread the owner if the channel's epoch is still `seenEpoch`; 0: it never had an owner. */
  claim(channelId: ChannelId, owner: ChannelOwner, seenEpoch: number): Promise<ClaimResult>;
  /**
   * Writes an ownership again that a failover of the database lost. Returns false where the database knows a higher epoch,
   * the same epoch of a newer process, or no such channel that is live.
   */
  assertOwner(channelId: ChannelId, owner: ChannelOwner, epoch: number): Promise<boolean>;
  /**
   * Raises the revision of a channel's settings above this one: a failover of the database lost changes that were in effect,
   * and what it has is to count as newer.
   */
  raiseRevision(channelId: ChannelId, above: number): Promise<void>;
  /** Ends this ownership, and no other. */
  release(channelId: ChannelId, incarnation: Incarnation, epoch: number): Promise<void>;
  /** Undefined where the channel never had an owner. */
  findOwner(channelId: ChannelId): Promise<OwnershipRow | undefined>;
  /**
   * Ownerships that are over and not finished, 200 at most: those of lost nodes, and those that were taken over five minutes ago
   * or earlier. What takes over finishes them by itself; it may have died, or the database may have been away.
   */
  listUnfinished(): Promise<readonly UnfinishedOwnership[]>;
  /** What a node compares with what it knows of these channels, which it owns. */
  compare(channelIds: readonly ChannelId[]): Promise<readonly ComparedRow[]>;
}

/** An ownership of a channel whose broadcast has no end in the database. */
export type UnfinishedOwnership = { readonly channelId: ChannelId; readonly epoch: number };

/** Which encryption keys the nodes have. Every call may reject with StoreUnavailableError. */
export interface NodeKeyStore extends Pick<OwnershipStore, "listNodes"> {
  /** Says which keys a node has now, the one that it seals with first. */
  setNodeKeys(incarnation: Incarnation, keyIds: readonly string[]): Promise<void>;
}
