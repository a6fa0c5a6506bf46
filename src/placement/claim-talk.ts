import type { ClaimBoard, ClaimNews } from "../control/ports/owner-question.ts";
import type { Incarnation } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { OwnedEpochs } from "./owned-epochs.ts";

/** The process that owned a channel before, and the epoch of its ownership. */
export type FormerOwner = { readonly incarnation: Incarnation; readonly epoch: number };

export type ClaimTalkDeps = {
  readonly self: Incarnation;
  readonly board: ClaimBoard;
  readonly owned: Pick<OwnedEpochs, "get" | "all">;
};

/** What this node tells the others of its claims, and asks them about theirs. Every message may be lost. */
export class ClaimTalk {
  readonly #deps: ClaimTalkDeps;
  /** Claims of which the other nodes were not told, since the bus was away. */
  readonly #untold = new Map<ChannelId, number>();

  constructor(deps: ClaimTalkDeps) {
    this.#deps = deps;
  }

  /** Tells all nodes of an ownership of this one, or later where the bus is away. */
  tell(channelId: ChannelId, epoch: number, home: number): void {
    const { self, board } = this.#deps;
    if (!board.publish({ channelId, epoch, incarnation: self, home })) this.#untold.set(channelId, epoch);
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
  }

  /** Another node asks which of these channels are this one's with a higher epoch. */
  answer(channels: readonly Pick<ClaimNews, "channelId" | "epoch">[]): void {
    const { self, board, owned } = this.#deps;
    for (const { channelId, epoch } of channels) {
      const mine = owned.get(channelId);
      if (mine === undefined || mine.epoch <= epoch) continue;
      board.publish({ channelId, epoch: mine.epoch, incarnation: self, home: mine.home });
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
    board.question(all.map(({ channelId, epoch, home }) => ({ channelId, epoch, incarnation: self, home })));
  }
}
