import type { WallSteps } from "../../base/wall-steps.ts";
import type { IngestSample } from "../../thread-protocol/samples.ts";
import { movedIngest } from "../facts/present-times.ts";
import type { ServerFact } from "../facts/server-fact.ts";

/** `mark`: the wall clock when it was told. */
type Told = { readonly sample: IngestSample; readonly mark: number };

/**
 * The state of a channel's encoder: its last sample, and until the next one what facts already say. Remembers the
 * connected encoders, since any of them may be next on air. Times follow the present wall clock.
 */
export class IngestLive {
  readonly #steps: WallSteps;
  #latest: Told | undefined;
  readonly #connected = new Map<number, Told>();
  #activeId: number | undefined;

  constructor(steps: WallSteps) {
    this.#steps = steps;
  }

  /** The encoder on air, or last on air. */
  get latest(): IngestSample | undefined {
    return this.#latest && movedIngest(this.#latest.sample, this.#steps.since(this.#latest.mark));
  }

  sample(sample: IngestSample): void {
    this.#latest = this.#told(sample);
  }

  /** Facts that concern no encoder change nothing. */
  fact(fact: ServerFact): void {
    switch (fact.kind) {
      case "ingest-started": {
        const { slot, remoteAddress, encoder, time, testPatternEndTime, onlyTargetIds, sourceKind } = fact;
        const counters = { bytesPerSecond: 0, bytesTotal: 0 };
        const sample: IngestSample = {
          state: "LIVE",
          slot,
          remoteAddress,
          encoder,
          startTime: time,
          ...(testPatternEndTime === undefined ? {} : { testPatternEndTime }),
          ...(onlyTargetIds === undefined ? {} : { onlyTargetIds }),
          ...(sourceKind === undefined ? {} : { sourceKind }),
          ...counters,
        };
        this.#connected.set(fact.ingestId, this.#told(sample));
        return;
      }
      case "publisher-active":
        return this.#activate(fact.ingestId);
      case "ingest-held":
        return this.#leave("HELD");
      case "standby-differs":
        this.#change((sample) => ({ ...sample, standbyDiffers: fact.detail }));
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
    const isKnown = this.#activeId === ingestId && this.#latest !== undefined;
    if (isKnown) this.#change((sample) => ({ ...sample, state: "LIVE" }));
    else this.#latest = this.#connected.get(ingestId);
    this.#activeId = ingestId;
  }

  #end(): void {
    this.#leave("ENDED");
    this.#connected.clear();
    this.#activeId = undefined;
  }

  #leave(state: "HELD" | "ENDED"): void {
    this.#change(({ standbyDiffers, ...rest }) => {
      const warning = state === "ENDED" || standbyDiffers === undefined ? {} : { standbyDiffers };
      return { ...rest, ...warning, state, bytesPerSecond: 0 };
    });
  }

  #told(sample: IngestSample): Told {
    return { sample, mark: this.#steps.mark() };
  }

  #change(change: (sample: IngestSample) => IngestSample): void {
    if (this.#latest !== undefined) this.#latest = { ...this.#latest, sample: change(this.#latest.sample) };
  }
}
