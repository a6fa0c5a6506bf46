import type { Log } from "../base/log.ts";
import type {
  ChannelPlacement,
  Ownership,
  Placed,
  PlacementChange,
  PlacementOwner,
} from "../control/ports/channel-placement.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import { PlacementListeners } from "./placement-listeners.ts";

/**
 * Places channels among the media threads of one process. The placements are kept in memory and end with the process.
 */
export class LocalPlacement implements ChannelPlacement {
  readonly #owners = new Map<ChannelId, Ownership>();
  readonly #listeners: PlacementListeners;
  /** One counter for all channels: an entry can be deleted, and the channel's next epoch must still be higher. */
  #lastEpoch = 0;

  constructor(log: Log) {
    this.#listeners = new PlacementListeners(log);
  }

  async claim(channelId: ChannelId, candidate: PlacementOwner): Promise<Placed> {
    const present = this.#owners.get(channelId);
    if (present !== undefined) return { kind: "here", ...present };
    this.#lastEpoch += 1;
    const ownership = { owner: candidate, epoch: this.#lastEpoch };
    this.#owners.set(channelId, ownership);
    this.#listeners.publish({ channelId, ...ownership });
    return { kind: "here", ...ownership };
  }

  async release(channelId: ChannelId, epoch: number): Promise<void> {
    if (this.#owners.get(channelId)?.epoch !== epoch) return;
    this.#owners.delete(channelId);
    this.#listeners.publish({ channelId, epoch });
  }

  async owner(channelId: ChannelId): Promise<Ownership | undefined> {
    return this.#owners.get(channelId);
  }

  changes(take: (change: PlacementChange) => void): () => void {
    return this.#listeners.add(take);
  }
}
