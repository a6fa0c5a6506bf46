import type { OwnershipRow } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";

const CHANNELS_MAX = 10_000;
/**
 * A node that claims a channel without the database takes an epoch of its own from the next so many: two nodes that do so at
 * once must not have the same one.
 */
const EPOCHS = 2 ** 30;

/** What this node last heard of who owns each channel, from the database and from other nodes. */
export class KnownOwnerships {
  readonly #rows = new Map<ChannelId, OwnershipRow>();

  /** Takes what is newer than what is known. */
  note(row: OwnershipRow): void {
    const { channelId, epoch } = row;
    if (epoch < (this.#rows.get(channelId)?.epoch ?? 0)) return;
    this.#rows.delete(channelId);
    this.#rows.set(channelId, row);
    if (this.#rows.size <= CHANNELS_MAX) return;
    for (const oldest of this.#rows.keys()) return void this.#rows.delete(oldest);
  }

  /** An ownership has ended. */
  released(channelId: ChannelId, epoch: number): void {
    if (this.#rows.get(channelId)?.epoch === epoch) this.#rows.set(channelId, { channelId, epoch });
  }

  get(channelId: ChannelId): OwnershipRow | undefined {
    return this.#rows.get(channelId);
  }
}

/** An epoch for a claim that the database does not decide. `random`: from 0 to 1. */
export function provisionalEpoch({ epoch }: Pick<OwnershipRow, "epoch">, random: () => number): number {
  return epoch + 1 + Math.floor(random() * EPOCHS);
}
