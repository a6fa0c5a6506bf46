import type { IngestSample } from "../../thread-protocol/samples.ts";
import type { ServerFact } from "../facts/server-fact.ts";

/**
 * The state of a channel's encoder: its last sample, and until the next one what facts already say. Remembers the
 * connected encoders, since any of them may be next on air.
 */
export class IngestLive {
  #latest: IngestSample | undefined;
  readonly #connected = new Map<number, IngestSample>();
  #activeId: number | undefined;

  /** The encoder on air, or last on air. */
  get latest(): IngestSample | undefined {
    return this.#latest;
  }

  sample(sample: IngestSample): void {
    this.#latest = sample;
  }

  /** Facts that concern no encoder change nothing. */
  fact(fact: ServerFact): void {
    switch (fact.kind) {
      case "ingest-started": {
        const { slot, remoteAddress, encoder, time, testPatternEndTime, onlyTargetIds, sourceKind } = fact;
        const counters = { bytesPerSecond: 0, bytesTotal: 0 };
        this.#connected.set(fact.ingestId, {
          state: "LIVE",
          slot,
          remoteAddress,
          encoder,
          startTime: time,
          ...(testPatternEndTime === undefined ? {} : { testPatternEndTime }),
          ...(onlyTargetIds === undefined ? {} : { onlyTargetIds }),
          ...(sourceKind === undefined ? {} : { sourceKind }),
          ...counters,
        });
        return;
      }
      case "publisher-active":
        return this.#activate(fact.ingestId);
      case "ingest-held":
        return this.#leave("HELD");
      case "standby-differs":
        if (this.#latest !== undefined) this.#latest = { ...this.#latest, standbyDiffers: fact.detail };
        return;
      case "ingest-ended":
        this.#connected.delete(fact.ingestId);
        if (fact.isBroadcastOver) this.#end();
        return;
      default:
        return;
    }
  }

  #activate(ingestId: number): void {
    const known = this.#activeId === ingestId ? this.#latest : undefined;
    this.#latest = known === undefined ? this.#connected.get(ingestId) : { ...known, state: "LIVE" };
    this.#activeId = ingestId;
  }

  #end(): void {
    this.#leave("ENDED");
    this.#connected.clear();
    this.#activeId = undefined;
  }

  #leave(state: "HELD" | "ENDED"): void {
    if (this.#latest === undefined) return;
    const { standbyDiffers, ...rest } = this.#latest;
    const warning = state === "ENDED" || standbyDiffers === undefined ? {} : { standbyDiffers };
    this.#latest = { ...rest, ...warning, state, bytesPerSecond: 0 };
  }
}
