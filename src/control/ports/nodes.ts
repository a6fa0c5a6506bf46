import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { OwnerState } from "../../thread-protocol/targets/owner-states.ts";
import type { Incarnation } from "./ownership-store.ts";

/** One of the servers that share a database, as this one sees it. */
export type NodeRecord = {
  readonly incarnation: Incarnation;
  /** A label for people; the two processes of an upgrade share it. */
  readonly nodeId: string;
  readonly version: string;
  readonly state: OwnerState;
  /** Whether it is this process. */
  readonly isSelf: boolean;
  /** The rest is absent where nothing was heard of it. `heardAgoMs`: how long ago it was heard, in milliseconds. */
  readonly heardAgoMs?: number;
  readonly load?: NodeLoad;
};

/** What a node says about itself. */
export type NodeLoad = {
  /** Channels that it owns. */
  readonly channels: number;
  /** Bits that it sends to targets within a second. */
  readonly egressBitsPerSecond: number;
  /** As many as it is meant to send; absent where nobody said. */
  readonly capacityBitsPerSecond?: number | undefined;
  /** How late its latest event loop was, as the 99th percentile, in milliseconds. */
  readonly loopDelayMs: number;
  /** Connections of visitors that it passes on to other nodes. */
  readonly relayed: number;
  /** When it ends the broadcasts that are left, milliseconds since the Unix epoch; absent unless it drains. */
  readonly drainEndTime?: number | undefined;
};

/** Why a broadcast stays: this node plays it by itself, or its encoder is lost. */
export const STAY_REASONS = ["source", "test-pattern", "encoder-lost"] as const;
export type StayReason = (typeof STAY_REASONS)[number];

/** A broadcast that does not move. */
type Staying = { readonly channelId: ChannelId; readonly why: StayReason };

/** The broadcasts of a node that begin to move, and those that stay. */
export type MoveBegun = { readonly moving: number; readonly staying: readonly Staying[] };

/** A node whose broadcasts move. `begun` is absent where it has an older program, which does not say it. */
export type NodeMove = { readonly node: NodeRecord; readonly begun?: MoveBegun };

/** The servers that share a database. A single server has none of them. */
export interface Nodes {
  /** In the order of their start. Rejects with StoreUnavailableError. */
  list(): Promise<readonly NodeRecord[]>;
  /**
   * Lets a node take no more channels, and end when its broadcasts are over. Returns it; undefined where there is no such
   * node that serves. Rejects with OwnerUnavailableError where it does not respond.
   */
  drain(incarnation: Incarnation): Promise<NodeRecord | undefined>;
  /**
   * Begins to move the broadcasts of a node to the node `to`, or to those that take channels; they keep their encoders, their
   * start and their report. Returns undefined, and rejects, as `drain`. Throws DomainError `no-other-node`, and
   * `move-to-…` where `to` takes no channels.
   */
  moveChannels(incarnation: Incarnation, to?: Incarnation): Promise<NodeMove | undefined>;
}
