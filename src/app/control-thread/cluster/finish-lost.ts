import type { Log } from "../../../base/log.ts";
import { completeEvent } from "../../../control/events/complete-event.ts";
import { broadcastLost } from "../../../control/events/event-drafts.ts";
import type { ChannelEvent, EventStore } from "../../../control/events/events.ts";
import type { Incarnation, OwnershipStore } from "../../../control/ports/ownership-store.ts";
import type { ChannelId } from "../../../thread-protocol/channel-spec.ts";

export type FinishLostDeps = {
  readonly events: Pick<EventStore, "findEventSubjects" | "finishBroadcasts">;
  readonly store: Pick<OwnershipStore, "listOwned">;
  readonly log: Log;
  readonly onEvent: (event: ChannelEvent) => void;
};

/** Finishes the broadcasts of nodes that ended without doing so. Several nodes may try: one of them does it. */
export class FinishLost {
  readonly #deps: FinishLostDeps;

  constructor(deps: FinishLostDeps) {
    this.#deps = deps;
  }

  /** Finishes what this ownership of a channel, and earlier ones, left. Never rejects. */
  async channel(channelId: ChannelId, epoch: number): Promise<void> {
    const { events, log, onEvent } = this.#deps;
    try {
      const [subject] = await events.findEventSubjects([channelId]);
      if (subject === undefined) return;
      const compose = (time: number) =>
        completeEvent(broadcastLost({ kind: "broadcast-lost", time, channelId }), subject);
      const stored = await events.finishBroadcasts(channelId, epoch, compose);
      if (stored !== undefined) onEvent(stored);
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      log.error("the end of a lost broadcast was not stored", { channelId, epoch, detail });
    }
  }

  /** Finishes all channels of a node. Never rejects. */
  async node(incarnation: Incarnation): Promise<void> {
    let after = "";
    try {
      for (;;) {
        const rows = await this.#deps.store.listOwned(incarnation, after);
        for (const { channelId, epoch } of rows) await this.channel(channelId, epoch);
        const last = rows.at(-1);
        if (last === undefined) return;
        after = last.channelId;
      }
    } catch (error) {
      const detail = error instanceof Error ? error.message : String(error);
      this.#deps.log.error("the broadcasts of a lost node were not all finished", { incarnation, detail });
    }
  }
}
