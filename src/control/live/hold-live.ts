import type { WallSteps } from "../../base/wall-steps.ts";
import { HOLD_MS_MAX } from "../../thread-protocol/hold-limits.ts";
import type { ServerFact } from "../facts/server-fact.ts";
import type { Hold } from "../ports/runtime.ts";

/** Folds one channel's facts into the running hold, with times that follow the present wall clock. */
export class HoldLive {
  readonly #steps: WallSteps;
  #hold: Hold | undefined;
  /** The wall clock when the hold was reported. */
  #mark = 0;
  #limitTime = 0;
  /** The wall clock when the encoder was lost, from which the limit counts. */
  #limitMark = 0;

  constructor(steps: WallSteps) {
    this.#steps = steps;
  }

  /** Undefined while no hold runs. */
  get now(): Hold | undefined {
    if (this.#hold === undefined) return undefined;
    const stepMs = this.#steps.since(this.#mark);
    return { endTime: this.#hold.endTime + stepMs, limitTime: this.#hold.limitTime + stepMs };
  }

  /** Facts that concern no hold change nothing. */
  fact(fact: ServerFact): void {
    switch (fact.kind) {
      case "ingest-held":
        this.#limitTime = fact.time + HOLD_MS_MAX;
        this.#limitMark = this.#steps.mark();
        return;
      case "hold-set": {
        const endTime = Math.round(fact.time + fact.leftMs);
        this.#mark = this.#steps.mark();
        const limitTime = this.#limitTime + this.#steps.since(this.#limitMark);
        this.#hold = { endTime, limitTime: Math.max(endTime, limitTime) };
        return;
      }
      case "publisher-active":
        this.#hold = undefined;
        return;
      case "ingest-ended":
        if (fact.isBroadcastOver) this.#hold = undefined;
        return;
      default:
        return;
    }
  }
}
