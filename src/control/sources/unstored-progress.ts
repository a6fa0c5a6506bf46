import type { Clock, Timer } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { ChannelId } from "../../thread-protocol/channel-spec.ts";
import type { StoredSource } from "../channels/source.ts";

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
  #isStopped = false;

  constructor(deps: UnstoredProgressDeps) {
    this.#deps = deps;
  }

  /** Stores it now, else as soon as that is possible. Never rejects. */
  async store(channelId: ChannelId, progress: Progress): Promise<void> {
    const { put, onTaken, log } = this.#deps;
    const isFirst = !this.#waiting.has(channelId);
    this.#waiting.set(channelId, progress);
    try {
      const isOurs = await put(channelId, progress);
      if (!this.#isLatest(channelId, progress)) return;
      this.forget(channelId);
      if (!isOurs) onTaken(channelId);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      if (isFirst) log.warn("a source's position was not stored: trying on", { channelId, detail });
      if (this.#isLatest(channelId, progress)) this.#plan();
    }
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

  #isLatest(channelId: ChannelId, progress: Progress): boolean {
    return this.#waiting.get(channelId) === progress;
  }

  #plan(): void {
    if (this.#isStopped) return;
    this.#timer ??= this.#deps.clock.startTimer(AGAIN_MS, () => {
      this.#timer = undefined;
      for (const [channelId, progress] of [...this.#waiting]) void this.store(channelId, progress);
    });
  }
}
