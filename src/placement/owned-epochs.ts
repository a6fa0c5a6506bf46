import type { ChannelOwner, ComparedRow, Incarnation, OwnershipRow } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";

/**
 * Epochs that are remembered: of other nodes' claims, for claims of ours whose answer is still on its way, and of our own
 * former ownerships.
 */
const REMEMBERED_MAX = 10_000;

/** One channel that this node owns. */
export type Owned = { readonly epoch: number; readonly home: number; readonly revision: number };
/** The same with its name. */
export type OwnedChannel = Owned & { readonly channelId: ChannelId };

/** What follows from comparing: see `compare`. */
export type Differences = {
  /** Another node owns these: stop them here. */
  readonly fenced: readonly OwnedChannel[];
  /** These are ours, and others have finished them, since this node could not be heard. */
  readonly givenUp: readonly OwnedChannel[];
  /** The database lost these ownerships: write them again. */
  readonly missing: readonly OwnedChannel[];
  /** Their settings have a newer revision than the one we read. */
  readonly newer: readonly ChannelId[];
  /** Their settings are older than the ones we had when we asked, which had this revision: the database lost changes. */
  readonly older: readonly { readonly channelId: ChannelId; readonly revision: number }[];
};

/** The channels that this node owns, with the epoch of each ownership. A higher epoch of another node ends one. */
export class OwnedEpochs {
  readonly #owned = new Map<ChannelId, Owned>();
  readonly #epochs = new Map<ChannelId, number>();
  readonly #heard = new Map<ChannelId, number>();
  readonly #last = new Map<ChannelId, number>();

  /** The channels that this node owns now, with the epoch of each. */
  get epochs(): ReadonlyMap<ChannelId, number> {
    return this.#epochs;
  }

  get(channelId: ChannelId): Owned | undefined {
    return this.#owned.get(channelId);
  }

  /** Notes an ownership. Returns false where another node's higher epoch was heard of before. */
  add({ channelId, ...owned }: OwnedChannel): boolean {
    if ((this.#heard.get(channelId) ?? 0) > owned.epoch) return false;
    this.#owned.set(channelId, owned);
    this.#epochs.set(channelId, owned.epoch);
    remember(this.#last, channelId, owned.epoch);
    return true;
  }

  /** The epoch of the present ownership or of the last one, whose last moments are still being told. */
  lastEpoch(channelId: ChannelId): number | undefined {
    return this.#last.get(channelId);
  }

  /** Ends this ownership; does nothing where the channel has another one, or none. Returns whether it did. */
  delete(channelId: ChannelId, epoch: number): boolean {
    if (this.#owned.get(channelId)?.epoch !== epoch) return false;
    this.#forget(channelId);
    return true;
  }

  /** The settings were read again. */
  revised(channelId: ChannelId, revision: number): void {
    const owned = this.#owned.get(channelId);
    if (owned !== undefined && revision > owned.revision) this.#owned.set(channelId, { ...owned, revision });
  }

  /** Another node claimed a channel. Returns our ownership that this ends; undefined where it ends none. */
  heard(channelId: ChannelId, epoch: number): OwnedChannel | undefined {
    if (epoch > (this.#heard.get(channelId) ?? 0)) remember(this.#heard, channelId, epoch);
    const owned = this.#owned.get(channelId);
    if (owned === undefined || epoch <= owned.epoch) return undefined;
    this.#forget(channelId);
    return { channelId, ...owned };
  }

  all(): readonly OwnedChannel[] {
    return [...this.#owned].map(([channelId, owned]) => ({ channelId, ...owned }));
  }

  /**
   * Compares what was owned when the database was asked with what it said. Ends what another node owns. A row that is
   * missing or lower was lost by a failover of the database. Of two owners with one epoch, which only such a loss makes,
   * the newer process stays.
   */
  compare(self: Incarnation, asked: readonly OwnedChannel[], rows: readonly ComparedRow[]): Differences {
    const byChannel = new Map(rows.map((row) => [row.channelId, row]));
    const fenced: OwnedChannel[] = [];
    const givenUp: OwnedChannel[] = [];
    const missing: OwnedChannel[] = [];
    const newer: ChannelId[] = [];
    const older: { channelId: ChannelId; revision: number }[] = [];
    for (const { channelId, epoch, revision } of asked) {
      const owned = this.#owned.get(channelId);
      // Released, fenced or claimed anew meanwhile: the next comparison is about that.
      if (owned?.epoch !== epoch) continue;
      const row = byChannel.get(channelId);
      if (row !== undefined && isOver(row, self, owned)) {
        this.#forget(channelId);
        fenced.push({ channelId, ...owned });
      } else if (row === undefined || row.epoch < epoch || row.owner?.incarnation !== self) {
        missing.push({ channelId, ...owned });
      } else {
        if (row.isFinished === true) givenUp.push({ channelId, ...owned });
        if (row.revision > owned.revision) newer.push(channelId);
        else if (row.revision < revision) older.push({ channelId, revision });
      }
    }
    return { fenced, givenUp, missing, newer, older };
  }

  #forget(channelId: ChannelId): void {
    this.#owned.delete(channelId);
    this.#epochs.delete(channelId);
  }
}

function isOver({ epoch, owner }: OwnershipRow, self: Incarnation, owned: Pick<Owned, "epoch">): boolean {
  return epoch > owned.epoch || (epoch === owned.epoch && isNewer(owner, self));
}

function isNewer(owner: ChannelOwner | undefined, self: Incarnation): boolean {
  return owner !== undefined && owner.incarnation > self;
}

/** The newest stay. */
function remember(epochs: Map<ChannelId, number>, channelId: ChannelId, epoch: number): void {
  epochs.delete(channelId);
  epochs.set(channelId, epoch);
  const [oldest] = epochs.keys();
  if (epochs.size > REMEMBERED_MAX && oldest !== undefined) epochs.delete(oldest);
}
