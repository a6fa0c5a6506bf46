import type { Incarnation, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { FormerOwner } from "./claim-talk.ts";
import type { OwnedChannel } from "./owned-epochs.ts";

/** A claim that the database does not know yet: its epoch, and the ownership that it replaced. */
type UnstoredClaim = { readonly epoch: number; readonly former: FormerOwner | undefined };

/** What the database does not know yet of this node's ownerships: claims made without it, and releases that it did not take. */
export class UnstoredOwnerships {
  readonly #self: Incarnation;
  readonly #store: Pick<OwnershipStore, "assertOwner" | "release">;
  readonly #claims = new Map<ChannelId, UnstoredClaim>();
  readonly #releases = new Map<ChannelId, number>();

  constructor(self: Incarnation, store: Pick<OwnershipStore, "assertOwner" | "release">) {
    this.#self = self;
    this.#store = store;
  }

  /** A channel was claimed without the database. */
  claim(channelId: ChannelId, claim: UnstoredClaim): void {
    this.#claims.set(channelId, claim);
    this.#releases.delete(channelId);
  }

  /** The channels whose claims the database does not know. */
  get claimed(): Iterable<ChannelId> {
    return this.#claims.keys();
  }

  /** A channel was claimed in the database: what was to be written before is out of date. */
  stored(channelId: ChannelId): void {
    this.#claims.delete(channelId);
    this.#releases.delete(channelId);
  }

  /** An ownership has ended, and is released with the others. */
  ended(channelId: ChannelId, epoch: number): void {
    this.#releases.set(channelId, epoch);
  }

  /**
   * Writes an ownership again that the database does not know. Returns `other` where it knows a newer one, or no such
   * channel. `former`: what a claim that was made without the database replaced. Rejects where it cannot be asked.
   */
  async write({ channelId, epoch, home }: OwnedChannel): Promise<"other" | { readonly former?: FormerOwner }> {
    const claim = this.#claims.get(channelId);
    if (!(await this.#store.assertOwner(channelId, { incarnation: this.#self, home }, epoch))) return "other";
    if (claim?.epoch !== epoch) return {};
    this.#claims.delete(channelId);
    return claim.former === undefined ? {} : { former: claim.former };
  }

  /** Releases an ownership. Where the database cannot be asked it rejects, and `releaseAll` does it later. */
  async release(channelId: ChannelId, epoch: number): Promise<void> {
    this.#releases.set(channelId, epoch);
    // The epochs behind it must be higher, also where the database never knew this one.
    if (this.#claims.get(channelId)?.epoch === epoch)
      await this.#store.assertOwner(channelId, { incarnation: this.#self, home: 0 }, epoch);
    await this.#store.release(channelId, this.#self, epoch);
    if (this.#claims.get(channelId)?.epoch === epoch) this.#claims.delete(channelId);
    if (this.#releases.get(channelId) === epoch) this.#releases.delete(channelId);
  }

  /** Releases what the database did not take before. Rejects where it cannot be asked. */
  async releaseAll(): Promise<void> {
    for (const [channelId, epoch] of [...this.#releases]) await this.release(channelId, epoch);
  }
}
