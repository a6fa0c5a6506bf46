import type { Clock, Timer } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { completeEvent } from "../../../control/events/complete-event.ts";
import { broadcastLost } from "../../../control/events/event-drafts.ts";
import type { ChannelEvent, EventStore } from "../../../control/events/events.ts";
import type { OwnershipStore } from "../../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";

export type FinishLostDeps = {
  readonly events: Pick<EventStore, "findEventSubjects" | "finishBroadcasts" | "goOnWithBroadcast">;
  readonly store: Pick<OwnershipStore, "listUnfinished">;
  readonly clock: Pick<Clock, "startTimer" | "wallNow">;
  readonly log: Log;
  readonly onEvent: (event: ChannelEvent) => void;
};

/** How often what was left unfinished is looked for, in milliseconds. */
const LOOK_MS = 60_000;

/**
 * Finishes the broadcasts of nodes that ended without doing so. Several nodes may try: one of them does it. The one that
 * noticed it may die in the middle, and the database may fail: what is left is looked for again each minute.
 */
export class FinishLost {
  readonly #deps: FinishLostDeps;
  #timer: Timer | undefined;
  #isLooking = false;
  #isStopped = false;

  constructor(deps: FinishLostDeps) {
    this.#deps = deps;
  }

  /** Looks each minute, until it is stopped. */
  start(): void {
    this.#timer = this.#deps.clock.startTimer(LOOK_MS, () => {
      this.start();
      void this.all();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }

  /** Finishes what this ownership of a channel, and earlier ones, left. Never rejects. */
  async channel(channelId: ChannelId, epoch: number): Promise<void> {
    await this.#finish(channelId, epoch);
  }

  /** A broadcast of this node goes on that others have finished: they could not hear this node. Never rejects. */
  async goOn(channelId: ChannelId, epoch: number): Promise<void> {
    const { events, clock, log, onEvent } = this.#deps;
    try {
      const stored = await events.goOnWithBroadcast(channelId, epoch, clock.wallNow());
      log.warn("others had given this node up: its broadcast goes on", { channelId, epoch });
      if (stored !== undefined) onEvent(stored);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.error("a broadcast that goes on was not stored", { channelId, epoch, detail });
    }
  }

  /** Returns whether it is done. */
  async #finish(channelId: ChannelId, epoch: number): Promise<boolean> {
    const { events, log, onEvent } = this.#deps;
    try {
      const [subject] = await events.findEventSubjects([channelId]);
      if (subject === undefined) return true;
      const compose = (time: number) =>
        completeEvent(broadcastLost({ kind: "broadcast-lost", time, channelId }), subject);
      const stored = await events.finishBroadcasts(channelId, epoch, compose);
      if (stored !== undefined) onEvent(stored);
      return true;
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.error("the end of a lost broadcast was not stored", { channelId, epoch, detail });
      return false;
    }
  }

  /** Finishes everything that was left, as of now. Never rejects. */
  async all(): Promise<void> {
    if (this.#isLooking || this.#isStopped) return;
    this.#isLooking = true;
    try {
      const done = new Set<string>();
      while (await this.#finishSome(done)) {}
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#deps.log.warn("lost broadcasts could not be looked for", { detail });
    } finally {
      this.#isLooking = false;
    }
  }

  /** `done`: what was finished since this look began. Returns whether there may be more. */
  async #finishSome(done: Set<string>): Promise<boolean> {
    const listed = await this.#deps.store.listUnfinished();
    const left = listed.filter(({ channelId, epoch }) => !done.has(`${channelId} ${epoch}`));
    for (const { channelId, epoch } of left) {
      if (this.#isStopped || !(await this.#finish(channelId, epoch))) return false;
      done.add(`${channelId} ${epoch}`);
    }
    return left.length > 0;
  }
}
