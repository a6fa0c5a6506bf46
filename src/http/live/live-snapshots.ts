import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { LiveReader } from "./live-reader.ts";

/**
 * This many channels are read in a row, for all readers together, and written to one reader; then other work has its
 * turn.
 */
const BATCH_CHANNELS = 10;
/** Texts that are kept for readers that come to the same channel a little later. The oldest go first. */
const TEXTS_MAX = 1_000;

/** A channel as JSON, as managers and as viewers see it. */
export type ChannelTexts = { readonly manager: string; readonly viewer: string };

export type SnapshotOptions = {
  readonly listChannelIds: () => Promise<readonly ChannelId[]>;
  /** Undefined where the channel was deleted meanwhile. */
  readonly read: (channelId: ChannelId) => Promise<ChannelTexts | undefined>;
  /** Sequence of the newest change: later changes follow the snapshot. */
  readonly lastSequence: () => number;
  readonly onFailure: (error: unknown) => void;
};

/** A value that was read, and the newest change that it certainly includes. */
type Read<Value> = { readonly sequence: number; readonly value: Value };

/** The progress of one reader's snapshot. */
type Progress = {
  readonly reader: LiveReader;
  /** Changes after this one follow the snapshot. */
  readonly from: number;
  /** Read when the snapshot begins. */
  channelIds: readonly ChannelId[] | undefined;
  hasBegun: boolean;
  next: number;
  /** No channel is written yet. */
  isEmpty: boolean;
};

/**
 * Writes a snapshot to every reader that opens a stream: a few channels in each turn of the event loop, each reader at
 * its own pace. What is read for one reader serves all others whose snapshot began no later than the reading, so many
 * readers cost no more than one.
 */
export class LiveSnapshots {
  readonly #options: SnapshotOptions;
  #snapshots: Progress[] = [];
  #list: Read<readonly ChannelId[]> | undefined;
  readonly #texts = new Map<ChannelId, Read<ChannelTexts | undefined>>();
  #isWorking = false;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /**
   * Writes this reader a snapshot, of one channel where `only` names it. Then the reader continues with the changes
   * since.
   */
  give(reader: LiveReader, only: ChannelId | undefined): void {
    const from = this.#options.lastSequence();
    const channelIds = only === undefined ? undefined : [only];
    this.#snapshots.push({ reader, from, channelIds, hasBegun: false, next: 0, isEmpty: true });
    reader.onDrained(() => void this.#work());
    void this.#work();
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let ready = this.#ready(); ready.length > 0; ready = this.#ready()) {
      let readsLeft = BATCH_CHANNELS;
      for (const progress of ready) readsLeft = await this.#goOn(progress, readsLeft);
      // A large installation must not hold up other work.
      await new Promise((resolve) => setImmediate(resolve));
    }
    // A reader that is behind continues later, with the state of that time.
    this.#forget();
    this.#isWorking = false;
  }

  /**
   * Snapshots whose readers accept more. Another one is first each time, since the first may use up the turn's reads.
   */
  #ready(): readonly Progress[] {
    const [first, ...others] = this.#snapshots.filter(({ reader }) => reader.isOpen);
    this.#snapshots = first === undefined ? [] : [...others, first];
    return this.#snapshots.filter(({ reader }) => !reader.isBehind);
  }

  /** Writes the next channels to one reader. Returns how many channels may still be read in this turn. */
  async #goOn(progress: Progress, readsLeft: number): Promise<number> {
    try {
      return await this.#write(progress, readsLeft);
    } catch (error) {
      this.#options.onFailure(error);
      progress.reader.cut();
      return readsLeft;
    }
  }

  async #write(progress: Progress, readsLeft: number): Promise<number> {
    const { reader, from } = progress;
    // The list is read at once, so that no channel is missed while others come and go.
    progress.channelIds ??= await this.#listFor(from);
    const { channelIds } = progress;
    if (!progress.hasBegun) reader.beginSnapshot(from);
    progress.hasBegun = true;
    let left = readsLeft;
    let text = "";
    const end = Math.min(channelIds.length, progress.next + BATCH_CHANNELS);
    for (; progress.next < end; progress.next += 1) {
      const channelId = channelIds[progress.next] ?? "";
      const isKept = this.#isGood(this.#texts.get(channelId), from);
      if (!isKept && left === 0) break;
      if (!isKept) left -= 1;
      const texts = isKept ? this.#texts.get(channelId)?.value : await this.#read(channelId);
      if (texts === undefined) continue;
      text += `data: ${progress.isEmpty ? "" : ","}${reader.isViewer ? texts.viewer : texts.manager}\n`;
      progress.isEmpty = false;
    }
    reader.addToSnapshot(text);
    if (progress.next === channelIds.length) {
      reader.endSnapshot(from);
      this.#snapshots = this.#snapshots.filter((each) => each !== progress);
    }
    return left;
  }

  #isGood(read: Read<unknown> | undefined, from: number): boolean {
    return read !== undefined && read.sequence >= from;
  }

  async #listFor(from: number): Promise<readonly ChannelId[]> {
    if (this.#list === undefined || !this.#isGood(this.#list, from)) {
      const sequence = this.#options.lastSequence();
      this.#list = { sequence, value: await this.#options.listChannelIds() };
    }
    return this.#list.value;
  }

  async #read(channelId: ChannelId): Promise<ChannelTexts | undefined> {
    const sequence = this.#options.lastSequence();
    const value = await this.#options.read(channelId);
    this.#texts.delete(channelId);
    this.#texts.set(channelId, { sequence, value });
    for (const oldest of this.#texts.keys()) {
      if (this.#texts.size <= TEXTS_MAX) break;
      this.#texts.delete(oldest);
    }
    return value;
  }

  #forget(): void {
    this.#list = undefined;
    this.#texts.clear();
  }
}
