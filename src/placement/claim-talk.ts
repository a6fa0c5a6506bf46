import type { Clock } from "../base/clock.ts";
import type { ClaimBoard, ClaimNews } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { OwnedEpochs } from "./owned-epochs.ts";

/** Nodes say on the bus that they live every two seconds. A node that hears none of them for this long is heard by none. In milliseconds. */
const NOBODY_HEARD_MS = 4_500;

/** The process that owned a channel before, and the epoch of its ownership. */
export type FormerOwner = { readonly incarnation: Incarnation; readonly epoch: number };

export type ClaimTalkDeps = {
  readonly self: Incarnation;
  readonly clock: Pick<Clock, "now">;
  readonly board: ClaimBoard;
  readonly owned: Pick<OwnedEpochs, "get" | "all">;
};

/** What this node tells the others of its claims, and asks them about theirs. Every message may be lost. */
export class ClaimTalk {
  readonly #deps: ClaimTalkDeps;
  /** Claims of which the other nodes were not told, since the bus was away. */
  readonly #untold = new Map<ChannelId, number>();
  /** The last epoch of each channel that was put on the bus, and when first. */
  readonly #sent = new Map<ChannelId, { readonly epoch: number; readonly firstMs: number }>();
  #othersHeardMs = Number.NEGATIVE_INFINITY;

  constructor(deps: ClaimTalkDeps) {
    this.#deps = deps;
  }

  /** Tells all nodes of an ownership of this one, or later where the bus is away. */
  tell(channelId: ChannelId, epoch: number, home: number): void {
    if (!this.#publish(channelId, epoch, home)) this.#untold.set(channelId, epoch);
  }

  /** Another node was heard on the bus: it also hears this one. */
  othersHeard(): void {
    this.#othersHeardMs = this.#deps.clock.now();
  }

  /**
   * Whether no other node has heard of this ownership: it was not put on the bus, or nobody was heard there since. A connection to the
   * bus, or its server's to the others, may be dead long before that shows.
   */
  isSecret(channelId: ChannelId, epoch: number): boolean {
    const sent = this.#sent.get(channelId);
    if (sent?.epoch !== epoch) return true;
    return this.#othersHeardMs < sent.firstMs && this.#deps.clock.now() - sent.firstMs > NOBODY_HEARD_MS;
  }

  /** Tells again of those of these channels that are this node's: a message may have been lost. */
  tellAgain(channelIds: Iterable<ChannelId>): void {
    for (const channelId of channelIds) {
      const mine = this.#deps.owned.get(channelId);
      if (mine !== undefined) this.tell(channelId, mine.epoch, mine.home);
    }
  }

  /** The channel is no longer this node's: there is nothing to tell. */
  forget(channelId: ChannelId): void {
    this.#untold.delete(channelId);
    this.#sent.delete(channelId);
  }

  /** Another node asks which of these channels are this one's with a higher epoch. */
  answer(channels: readonly Pick<ClaimNews, "channelId" | "epoch">[]): void {
    for (const { channelId, epoch } of channels) {
      const mine = this.#deps.owned.get(channelId);
      if (mine !== undefined && mine.epoch > epoch) this.#publish(channelId, mine.epoch, mine.home);
    }
  }

  /** Asks the other nodes for claims that this one may have missed, and tells of its own, which they may have missed. */
  question(): void {
    const { self, board, owned } = this.#deps;
    const untold = [...this.#untold];
    this.#untold.clear();
    for (const [channelId, epoch] of untold) {
      const mine = owned.get(channelId);
      if (mine?.epoch === epoch) this.tell(channelId, epoch, mine.home);
    }
    const all = owned.all();
    if (all.length === 0) return;
    for (const { channelId, epoch } of all) this.#noteSent(channelId, epoch);
    board.question(all.map(({ channelId, epoch, home }) => ({ channelId, epoch, incarnation: self, home })));
  }

  /** Returns false where the bus is away. */
  #publish(channelId: ChannelId, epoch: number, home: number): boolean {
    const { self, board } = this.#deps;
    if (!board.publish({ channelId, epoch, incarnation: self, home })) return false;
    this.#noteSent(channelId, epoch);
    return true;
  }

  #noteSent(channelId: ChannelId, epoch: number): void {
    if (this.#sent.get(channelId)?.epoch === epoch) return;
    this.#sent.set(channelId, { epoch, firstMs: this.#deps.clock.now() });
  }
}
