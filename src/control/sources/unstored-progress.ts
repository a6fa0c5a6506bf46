import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { StoredSource } from "../channels/source.ts";
import { isDatabaseAway } from "../ports/errors.ts";

/** What has become of a source; without `scheduled` no run of a schedule plays. */
export type Progress = Pick<StoredSource, "isWanted" | "position" | "scheduled">;

export type UnstoredProgressDeps = {
  /** Stores it. Returns false where another process plays the source by now. */
  readonly put: (channelId: ChannelId, progress: Progress) => Promise<boolean>;
  readonly onTaken: (channelId: ChannelId) => void;
  readonly clock: Pick<Clock, "startTimer">;
  readonly log: Log;
};

/** How soon what the database did not take is stored again, in milliseconds. */
const AGAIN_MS = 2_000;

/**
 * Stores what becomes of sources until the database has it: one that is over, and still wanted there, would begin once more with the
 * next start of the server, or at another server.
 */
export class UnstoredProgress {
  readonly #deps: UnstoredProgressDeps;
  readonly #waiting = new Map<ChannelId, Progress>();
  #timer: Timer | undefined;
  /** The database did not take the last one. */
  #isAway = false;
  #isStopped = false;

  constructor(deps: UnstoredProgressDeps) {
    this.#deps = deps;
  }

  /** Stores it now, else as soon as that is possible; then it may resolve before. Never rejects. */
  async store(channelId: ChannelId, progress: Progress): Promise<void> {
    const isFirst = !this.#waiting.has(channelId);
    this.#waiting.set(channelId, progress);
    // It has its turn once the database takes something.
    if (this.#isAway) return this.#plan();
    const detail = await this.#put(channelId, progress);
    if (detail === undefined) return;
    if (isFirst) this.#deps.log.warn("a source's position was not stored: trying on", { channelId, detail });
    this.#plan();
  }

  /** Something else is stored of the source by now. */
  forget(channelId: ChannelId): void {
    this.#waiting.delete(channelId);
  }

  /** Stores nothing more by itself. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Returns why it was not stored; undefined where it was. */
  async #put(channelId: ChannelId, progress: Progress): Promise<string | undefined> {
    const { put, onTaken } = this.#deps;
    try {
      const isOurs = await put(channelId, progress);
      this.#isAway = false;
      if (this.#waiting.get(channelId) !== progress) return undefined;
      this.forget(channelId);
      if (!isOurs) onTaken(channelId);
      return undefined;
    } catch (error) {
      this.#isAway = isDatabaseAway(error);
      return error instanceof Error ? error.message : String(error);
    }
  }

  #plan(): void {
    if (this.#isStopped || this.#waiting.size === 0) return;
    this.#timer ??= this.#deps.clock.startTimer(AGAIN_MS, () => void this.#storeAgain());
  }

  /**
   * One after another: a silent database takes seconds to fail one write, and those of people wait behind it. Where one fails since the
   * database is away, the others would too.
   */
  async #storeAgain(): Promise<void> {
    for (const [channelId, progress] of [...this.#waiting]) {
      if (this.#isStopped) return;
      if (this.#waiting.get(channelId) !== progress) continue;
      await this.#put(channelId, progress);
      if (this.#isAway) break;
    }
    this.#timer = undefined;
    this.#plan();
  }
}
