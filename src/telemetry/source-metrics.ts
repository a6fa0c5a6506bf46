import { Gauge, type Registry } from "prom-client";
import type { ServerFact, SourceChanged } from "../control/facts/server-fact.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";

type State = SourceChanged["status"]["state"];

const STATES: readonly State[] = ["stopped", "starting", "playing", "failed"];

/** The metric of sources. A channel has a series once its source was started since the server began. */
export class SourceMetrics {
  readonly #state: Gauge<"channel_id" | "state">;
  readonly #channels = new Map<ChannelId, State>();

  constructor(registry: Registry) {
    this.#state = new Gauge({
      name: "fanfare_source_state",
      help: "1 for the state that a channel's source is in, else 0.",
      labelNames: ["channel_id", "state"],
      registers: [registry],
    });
  }

  fact(fact: ServerFact): void {
    if (fact.kind === "channel-changed" && fact.change === "deleted") this.#channels.delete(fact.channelId);
    if (fact.kind === "source-changed") this.#channels.set(fact.channelId, fact.status.state);
  }

  /** Call it before a scrape is answered. */
  fill(): void {
    this.#state.reset();
    for (const [channelId, present] of this.#channels)
      for (const state of STATES) this.#state.set({ channel_id: channelId, state }, state === present ? 1 : 0);
  }
}
