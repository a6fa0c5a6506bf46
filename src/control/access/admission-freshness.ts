import type { ChannelId, ChannelSpec } from "../../thread-protocol/channel-spec.ts";

/** More look-ups than this in a row mean that something is broken: no channel changes that often during one look-up. */
const LOOK_UPS_MAX = 20;

/**
 * Keeps a reply about a stream key from overtaking a change. The look-up of a key takes a moment. If its channel is
 * blocked, deleted, edited or given another key meanwhile, the media thread has already received that change, and an
 * older reply must not follow. So each reply is checked here last, in the same turn in which it is sent.
 */
export class AdmissionFreshness {
  readonly #asInForce: (spec: ChannelSpec) => ChannelSpec;
  #lookUps = 0;
  /** The newest revision of each channel that changed while keys were being looked up; cleared once no look-up runs. */
  readonly #newestRevisions = new Map<ChannelId, number>();

  /** `asInForce`: completes settings by what is in force and not stored yet. */
  constructor(asInForce: (spec: ChannelSpec) => ChannelSpec = (spec) => spec) {
    this.#asInForce = asInForce;
  }

  /** Whether a key is being looked up: any channel may be the one that it leads to. */
  get isLookingUp(): boolean {
    return this.#lookUps > 0;
  }

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
   * Looks the key up, and again where the result is older than a change that was sent meanwhile; then calls `send` at
   * once. Rejects as the look-up does.
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
          send(found === undefined ? undefined : { ...found, spec: this.#asInForce(found.spec) });
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
