import type { LinkSilence } from "../../thread-protocol/admission.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { KnownOwner } from "./owner-question.ts";

/** Where a channel can be: one of this process's media threads, by its index from 0. */
export type PlacementOwner = { readonly thread: number };

/**
 * One ownership of a channel. `epoch` numbers the ownerships: each new one of a channel has a higher epoch than all
 * before, also after a release, so that a late message from an earlier owner is recognised.
 */
export type Ownership = { readonly owner: PlacementOwner; readonly epoch: number };

/**
 * Where a visitor of a channel goes: to a thread of this process, to another node's thread, or away for a moment, since
 * the owner cannot be reached or changes again and again.
 */
export type Placed =
  | ({ readonly kind: "here" } & Ownership)
  | ({ readonly kind: "elsewhere" } & KnownOwner)
  | { readonly kind: "try-again" };

/**
 * `owner` is absent where nothing here owns the channel any more; `epoch` is then the epoch of the ownership that ended.
 * `isFenced`: another node owns the channel now, and this one has to stop sending at once. `isMoved`: this node gave it
 * away, and its encoders go on there. `isTakenOver`: with an owner; another process owned the channel until now, and its
 * broadcast may come here.
 */
export type PlacementChange = {
  readonly channelId: ChannelId;
  readonly epoch: number;
  readonly owner?: PlacementOwner;
  readonly isFenced?: boolean;
  readonly isMoved?: boolean;
  readonly isTakenOver?: boolean;
};

/** Decides which thread runs a channel's relay: at most one at a time. Methods reject where the decision cannot be made now. */
export interface ChannelPlacement {
  /**
   * Makes the candidate the owner, unless the channel has one. Returns who owns the channel now. `silence`: the visitor has a
   * link to the owner, which takes nothing.
   */
  claim(channelId: ChannelId, candidate: PlacementOwner, silence?: LinkSilence): Promise<Placed>;
  /** Ends this ownership. Does nothing where the channel has a newer one, or none. */
  release(channelId: ChannelId, epoch: number): Promise<void>;
  /** Returns the present ownership; undefined where no thread of this process owns the channel. */
  owner(channelId: ChannelId): Promise<Ownership | undefined>;
  /**
   * Calls `take` with every change, before the promise of the call that made it resolves. What `take` throws is logged,
   * and disturbs neither the other listeners nor that call. Returns a function that ends the subscription.
   */
  changes(take: (change: PlacementChange) => void): () => void;
}

/** `claimed`: this node carries the channel now. `attached`: another node does, and gets the visitor's stream. */
export type PlacingOutcome = "claimed" | "attached" | "try-again" | "failed";

/** On which way a node asks another. */
type QuestionWay = "link" | "bus";

/** Counts what happens when channels are placed among several nodes. */
export interface PlacementMeter {
  /** A visitor came for a channel that this node did not own; `seconds`: until it was placed. */
  placed(outcome: PlacingOutcome, seconds: number): void;
  /** A channel was claimed that another process owned and had not released. */
  tookOver(): void;
  /** An owner did not answer in its time, or its host is silent, and its channel is claimed. */
  ownerSilent(what: "owner" | "host"): void;
  /** An owner answered a question. */
  answered(way: QuestionWay, seconds: number): void;
  /** This node stopped a channel; `by`: where it learned of the newer owner. */
  fenced(by: string): void;
}
