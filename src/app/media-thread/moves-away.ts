import type { ChannelId } from "../../thread-protocol/channel-spec.ts";

/** The channels that this thread gives to other nodes, while their encoders stay connected. */
export class MovesAway {
  /** Channels may move soon: their encoders' streams are kept from the next keyframe on. */
  areExpected = false;
  readonly #moving = new Set<ChannelId>();

  /** Whether encoders of this channel that are dismissed now go on at another node. */
  isMoving(channelId: ChannelId): boolean {
    return this.#moving.has(channelId);
  }

  /** Runs what dismisses the encoders. */
  during(channelId: ChannelId, leave: () => void): void {
    this.#moving.add(channelId);
    leave();
    this.#moving.delete(channelId);
  }
}
