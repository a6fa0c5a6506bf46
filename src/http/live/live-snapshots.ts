import type { Clock, Timer } from "../../base/clock.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { LiveReader } from "./live-reader.ts";

/** So many channels are read in a row, for all readers together; then it is everybody else's turn. */
const BATCH_CHANNELS = 10;
/** Readers of one snapshot wait for the slowest of them so long, then they go on without it, in milliseconds. */
const PATIENCE_MS = 100;

/** A channel as JSON, as managers and as viewers see it. */
export type ChannelTexts = { readonly manager: string; readonly viewer: string };

export type SnapshotOptions = {
  readonly clock: Clock;
  readonly listChannelIds: () => Promise<readonly ChannelId[]>;
  /** Undefined where the channel was deleted meanwhile. */
  readonly read: (channelId: ChannelId) => Promise<ChannelTexts | undefined>;
  /** Sequence of the newest change: later changes follow the snapshot. */
  readonly lastSequence: () => number;
  readonly onFailure: (error: unknown) => void;
};

/** Readers that are at the same place of the same snapshot. */
type Pass = {
  readonly from: number;
  /** What is to be read; all channels, asked for at the beginning, where it is not set yet. */
  channelIds: readonly ChannelId[] | undefined;
  next: number;
  /** No channel is written yet. */
  isEmpty: boolean;
  readers: readonly LiveReader[];
  /** Monotonic; while one of its readers is behind. */
  waitsSinceMs: number | undefined;
};

/**
 * Snapshots for everybody who opens a stream: one worker, a few channels a turn of the event loop, however many readers
 * there are. Who comes while a snapshot is read shares the next one; a channel is read, and turned into text for each role, once
 * for all who share. A reader that is slow goes on at its own pace and holds nothing but its place.
 */
export class LiveSnapshots {
  readonly #options: SnapshotOptions;
  /** Those who share the next snapshot of all channels. */
  #waiting: LiveReader[] = [];
  #shared: Pass | undefined;
  #passes: Pass[] = [];
  #isWorking = false;
  #patience: Timer | undefined;

  constructor(options: SnapshotOptions) {
    this.#options = options;
  }

  /** Writes this reader a snapshot, of one channel where that is all it wants, and lets it go on with what happened meanwhile. */
  give(reader: LiveReader, channelId: ChannelId | undefined): void {
    if (channelId === undefined) this.#waiting.push(reader);
    else this.#passes.push(this.#newPass([reader], [channelId]));
    reader.onDrained(() => void this.#work());
    void this.#work();
  }

  #newPass(readers: readonly LiveReader[], channelIds: readonly ChannelId[] | undefined): Pass {
    const from = this.#options.lastSequence();
    return { from, channelIds, next: 0, isEmpty: true, readers, waitsSinceMs: undefined };
  }

  async #work(): Promise<void> {
    if (this.#isWorking) return;
    this.#isWorking = true;
    for (let pass = this.#nextPass(); pass !== undefined; pass = this.#nextPass()) {
      try {
        await this.#step(pass);
      } catch (error) {
        this.#options.onFailure(error);
        for (const reader of pass.readers) reader.cut();
      }
      // A large installation is no reason to let everybody else wait.
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#isWorking = false;
  }

  /** Whose turn it is: each pass in its turn, as far as its readers take what they are given. */
  #nextPass(): Pass | undefined {
    for (const pass of this.#passes) pass.readers = pass.readers.filter(({ isOpen }) => isOpen);
    this.#passes = this.#passes.filter(({ readers }) => readers.length > 0);
    const ready = this.#passes.find((each) => this.#mayGoOn(each));
    const isSharedOver = this.#shared === undefined || !this.#passes.includes(this.#shared);
    const begun = isSharedOver ? this.#share() : undefined;
    const pass = ready ?? begun;
    if (pass === undefined) return undefined;
    this.#passes = [...this.#passes.filter((each) => each !== pass), pass];
    return pass;
  }

  /** The next snapshot of all channels, where somebody waits for one. */
  #share(): Pass | undefined {
    this.#shared = undefined;
    const readers = this.#waiting.filter(({ isOpen }) => isOpen);
    this.#waiting = [];
    if (readers.length === 0) return undefined;
    this.#shared = this.#newPass(readers, undefined);
    this.#passes.push(this.#shared);
    return this.#shared;
  }

  /** A pass waits for the slowest of its readers, but not for long; then those who are behind become a pass of their own. */
  #mayGoOn(pass: Pass): boolean {
    const slow = pass.readers.filter(({ isBehind }) => isBehind);
    if (slow.length === 0) {
      pass.waitsSinceMs = undefined;
      return true;
    }
    const nowMs = this.#options.clock.awakeNow();
    pass.waitsSinceMs ??= nowMs;
    if (nowMs - pass.waitsSinceMs < PATIENCE_MS) {
      this.#lookAgain();
      return false;
    }
    // Readers that come now do not wait for it.
    if (pass === this.#shared && slow.length === pass.readers.length) this.#shared = undefined;
    if (slow.length === pass.readers.length) return false;
    pass.readers = pass.readers.filter(({ isBehind }) => !isBehind);
    this.#passes.push({ ...pass, readers: slow });
    pass.waitsSinceMs = undefined;
    return true;
  }

  #lookAgain(): void {
    this.#patience ??= this.#options.clock.startTimer(PATIENCE_MS, () => {
      this.#patience = undefined;
      void this.#work();
    });
  }

  /** The next few channels for all readers of the pass. */
  async #step(pass: Pass): Promise<void> {
    if (pass.channelIds === undefined) {
      // Which there are is read at once, so that none is missed while others come and go.
      pass.channelIds = await this.#options.listChannelIds();
    }
    if (pass.next === 0) for (const reader of pass.readers) reader.beginSnapshot(pass.from);
    const batch = pass.channelIds.slice(pass.next, pass.next + BATCH_CHANNELS);
    let manager = "";
    let viewer = "";
    for (const channelId of batch) {
      const texts = await this.#options.read(channelId);
      if (texts === undefined) continue;
      const separator = pass.isEmpty ? "" : ",";
      manager += `data: ${separator}${texts.manager}\n`;
      viewer += `data: ${separator}${texts.viewer}\n`;
      pass.isEmpty = false;
    }
    pass.next += batch.length;
    for (const reader of pass.readers) reader.addToSnapshot(reader.isViewer ? viewer : manager);
    if (pass.next < pass.channelIds.length) return;
    for (const reader of pass.readers) reader.endSnapshot(pass.from);
    pass.readers = [];
  }
}
