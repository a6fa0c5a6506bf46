import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { ScheduledRun, StoredSource } from "../channels/source.ts";
import { DomainError } from "../ports/errors.ts";
import type { SourceStore } from "../ports/source-store.ts";

/** The stored sources as this process knows them, and its writes, which happen one after another. */
export class StoredSources {
  readonly #store: SourceStore;
  readonly #known = new Map<ChannelId, StoredSource>();
  #writes: Promise<unknown> = Promise.resolve();
  #changes = 0;
  /** This process among those that share the database; 0: it has the database for itself. */
  readonly node: number;

  constructor(store: SourceStore, node: number) {
    this.#store = store;
    this.node = node;
  }

  /** Rises with each write of this process: what was read before is out of date. */
  get changes(): number {
    return this.#changes;
  }

  get(channelId: ChannelId): StoredSource {
    return this.#known.get(channelId) ?? { channelId, isWanted: false, position: 0, node: this.node };
  }

  all(): readonly StoredSource[] {
    return [...this.#known.values()];
  }

  /** The runs of schedules that play here. */
  runsHere(): readonly (readonly [ChannelId, ScheduledRun])[] {
    return this.all().flatMap(({ channelId, scheduled, node }) =>
      scheduled === undefined || node !== this.node ? [] : ([[channelId, scheduled]] as const),
    );
  }

  /** Takes what the database has, without a write. */
  know(stored: StoredSource): void {
    this.#known.set(stored.channelId, stored);
  }

  forget(channelId: ChannelId): void {
    this.#known.delete(channelId);
  }

  /** Reads all of them. What another process played belongs to this one, which has the database for itself. */
  async readOwn(): Promise<readonly StoredSource[]> {
    const all = await this.#store.listSources();
    for (const { channelId, node } of all)
      if (node !== this.node) await this.#store.claimSource(channelId, node, this.node);
    return all.map((stored) => ({ ...stored, node: this.node }));
  }

  /** This process plays the source from now on. Throws DomainError `source-running` where another one does. */
  async claim(stored: StoredSource): Promise<void> {
    if (!(await this.putProgress(stored))) throw new DomainError({ kind: "source-running" });
  }

  /** Stores what becomes of the source. Returns false, and changes nothing, where another process plays it now. */
  putProgress(stored: StoredSource): Promise<boolean> {
    const own = { ...stored, node: this.node };
    return this.#put(own, () => this.#store.putProgress(own));
  }

  /** Stores the same, whatever else is known of the source by now. Without `scheduled` no run of a schedule plays. */
  become(channelId: ChannelId, progress: Pick<StoredSource, "isWanted" | "position" | "scheduled">): Promise<boolean> {
    const { scheduled: _before, ...others } = this.get(channelId);
    return this.putProgress({ ...others, ...progress });
  }

  /** Stores which source a person set. */
  async putSource(stored: StoredSource): Promise<void> {
    await this.#put(stored, async () => {
      await this.#store.putSource(stored.channelId, stored.source);
      return true;
    });
  }

  /** Stores which slate a person set. */
  async putSlate(stored: StoredSource): Promise<void> {
    await this.#put(stored, async () => {
      await this.#store.putSlate(stored.channelId, stored.slateFileId);
      return true;
    });
  }

  /** Returns what `write` returns. What was known before is known again where that is false, or an error. */
  async #put(stored: StoredSource, write: () => Promise<boolean>): Promise<boolean> {
    const { channelId } = stored;
    const before = this.#known.get(channelId);
    this.#known.set(channelId, stored);
    this.#changes += 1;
    const written = this.#writes.then(write);
    this.#writes = written.catch(() => undefined);
    let isDone = false;
    try {
      isDone = await written;
      return isDone;
    } finally {
      if (!isDone && this.#known.get(channelId) === stored) {
        if (before === undefined) this.#known.delete(channelId);
        else this.#known.set(channelId, before);
      }
    }
  }
}
