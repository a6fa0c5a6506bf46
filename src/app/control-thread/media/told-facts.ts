import type { Clock } from "../../../base/clock.ts";
import { SharedWallSteps } from "../../../base/wall-steps.ts";
import { movedFact } from "../../../control/facts/present-times.ts";
import type { Fact } from "../../../thread-protocol/facts.ts";
import type { ToControl } from "../../../thread-protocol/messages.ts";

/** The facts of media threads, told by the present clock: it may have been set while they were under way. */
export class ToldFacts {
  readonly #clockSteps: SharedWallSteps;

  constructor(clock: Pick<Clock, "wallNow">) {
    this.#clockSteps = new SharedWallSteps(clock);
  }

  take({ fact, clockMark }: Extract<ToControl, { kind: "fact" }>): Fact {
    return clockMark === undefined ? fact : movedFact(fact, this.#clockSteps.since(clockMark));
  }
}
