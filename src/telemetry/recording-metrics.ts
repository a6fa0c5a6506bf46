import { Gauge, type Registry } from "prom-client";
import type { ServerFact } from "../control/facts/server-fact.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { RecordingStatus } from "../thread-protocol/recordings/recordings.ts";

const STATES: readonly RecordingStatus["status"][] = ["READY", "RECORDING", "FAIL"];

/** The metrics of recordings. A channel has a series while its recording is turned on and it was on air. */
export class RecordingMetrics {
  readonly #state: Gauge<"channel_id" | "state">;
  readonly #channels = new Map<ChannelId, RecordingStatus["status"]>();
  readonly #registry: Registry;
  #fillTotals: () => void = () => undefined;

  constructor(registry: Registry) {
    const registers = [registry];
    this.#registry = registry;
    this.#state = new Gauge({
      name: "fanfare_recording_state",
      help: "1 for the state that a channel's recording is in, else 0.",
      labelNames: ["channel_id", "state"],
      registers,
    });
  }

  /** Shows the totals too. `totals`: returns how many recordings there are, and their bytes. */
  readFrom(totals: () => { readonly files: number; readonly bytes: number }): void {
    const registers = [this.#registry];
    const files = new Gauge({ name: "fanfare_recordings", help: "Recordings on the disk.", registers });
    const bytes = new Gauge({ name: "fanfare_recordings_bytes", help: "Bytes of all recordings.", registers });
    this.#fillTotals = () => {
      files.set(totals().files);
      bytes.set(totals().bytes);
    };
  }

  fact(fact: ServerFact): void {
    if (fact.kind === "channel-changed" && fact.change === "deleted") this.#channels.delete(fact.channelId);
    if (fact.kind !== "recording-status") return;
    if (fact.status.status === "OFF") this.#channels.delete(fact.channelId);
    else this.#channels.set(fact.channelId, fact.status.status);
  }

  /** Call it before a scrape is answered. */
  fill(): void {
    this.#state.reset();
    for (const [channelId, present] of this.#channels)
      for (const state of STATES) this.#state.set({ channel_id: channelId, state }, state === present ? 1 : 0);
    this.#fillTotals();
  }
}
