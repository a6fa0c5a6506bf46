import type { ChannelId, ChannelSpec } from "../../thread-protocol/channel-spec.ts";

/** A channel is not changed this often within one look-up unless something is broken. */
const LOOK_UPS_MAX = 20;

/**
 * Keeps an answer about a stream key from overtaking a change. The look-up of a key takes a moment; when its channel is
 * blocked, deleted, edited or given another key meanwhile, the media thread has heard of that already, and the answer
 * of before must not follow. So a reply is checked here last, in the same turn in which it leaves.
 */
export class AdmissionFreshness {
  #lookUps = 0;
  /** What changed while keys were being looked up; cleared once no look-up runs. */
  readonly #newestRevisions = new Map<ChannelId, number>();

  /** This spec is sent to the media thread now. */
  changed(spec: ChannelSpec): void {
    if (this.#lookUps === 0) return;
    this.#newestRevisions.set(spec.channelId, Math.max(spec.revision, this.#newestRevisions.get(spec.channelId) ?? 0));
  }

  /** The channel's removal is sent to the media thread now. */
  removed(channelId: ChannelId): void {
    if (this.#lookUps > 0) this.#newestRevisions.set(channelId, Number.POSITIVE_INFINITY);
  }

  /**
   * Looks the key up, again where the answer is older than what was told meanwhile, and hands the answer on at once.
   * Rejects as the look-up does.
   */
  async answer<Found extends { readonly spec: ChannelSpec }>(
    lookUp: () => Promise<Found | undefined>,
    send: (found: Found | undefined) => void,
  ): Promise<void> {
    this.#lookUps += 1;
    try {
      for (let count = 1; count <= LOOK_UPS_MAX; count += 1) {
        const found = await lookUp();
        if (found === undefined || found.spec.revision >= (this.#newestRevisions.get(found.spec.channelId) ?? 0)) {
          send(found);
          return;
        }
      }
      throw new Error("the channel changes faster than its key is looked up");
    } finally {
      this.#lookUps -= 1;
      if (this.#lookUps === 0) this.#newestRevisions.clear();
    }
  }
}
