import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import type { PlacementMeter, PlacementOwner } from "../control/ports/channel-placement.ts";
import type { ClaimBoard, KnownOwner } from "../control/ports/owner-question.ts";
import type { Incarnation, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { GivenBroadcast, MovedBroadcast } from "../control/reports/moved-broadcast.ts";
import type { LinkSilence } from "../thread-protocol/admission.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { FormerOwner } from "./claim-talk.ts";
import type { NodeDirectory } from "./node-directory.ts";
import type { OwnerAsker } from "./owner-asker.ts";

export type SharedPlacementDeps = {
  readonly self: Incarnation;
  readonly store: OwnershipStore;
  readonly nodes: NodeDirectory;
  readonly asker: Pick<OwnerAsker, "ask">;
  readonly board: ClaimBoard;
  readonly clock: Pick<Clock, "now" | "awakeNow" | "startTimer">;
  /** From 0 to 1. */
  readonly random: () => number;
  /** Whether this node may take channels. */
  readonly isServing: () => boolean;
  /** How often this node has stood still so far: what it asked before that may be out of date. */
  readonly wakes: () => number;
  readonly meter: PlacementMeter;
  readonly log: Log;
  /**
   * This node took a channel over from a process that did not release it, whose broadcast is to be finished in the database. The
   * visitor does not wait for that.
   */
  readonly onTakenOver: (channelId: ChannelId, former: FormerOwner) => void;
  /** Other nodes have ended this node's broadcast of a channel that it still owns: they could not hear it. */
  readonly onGivenUp: (channelId: ChannelId, epoch: number) => void;
  /** Asks a living owner for its broadcast of a channel. Must not reject. */
  readonly takeBroadcast: (owner: KnownOwner) => Promise<GivenBroadcast>;
  /** A broadcast of another node goes on here. Its encoders come once this has resolved. It must not reject. */
  readonly onMoved: (channelId: ChannelId, former: FormerOwner, moved: MovedBroadcast) => Promise<void>;
  /** The database lets this node claim nothing: a failover may have lost that it is there. */
  readonly onRefused: () => void;
  /** The settings of a channel of ours have this revision, which is newer than the one that was read. */
  readonly onNewer: (channelId: ChannelId) => void;
};

/** `silence`: the visitor has a link to the owner, which takes nothing. */
export type Candidate = PlacementOwner & { readonly silence: LinkSilence | undefined };
