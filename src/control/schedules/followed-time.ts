import type { MissedReason } from "../../api-contract/event-words.ts";
import type { Clock } from "../../base/clock.ts";
import { WallSteps } from "../../base/wall-steps.ts";
import { StoreUnavailableError } from "../ports/errors.ts";
import { ON_TIME_MS } from "./schedule.ts";

/** Knows from when on this process has followed the schedules, and what kept it from that: why a start comes late. */
export class FollowedTime {
  readonly #clock: Pick<Clock, "now" | "wallNow">;
  readonly #steps: WallSteps;
  #sinceMs = Infinity;
  /** The last look at which all that was due was done. */
  #last: { readonly wallMs: number; readonly mark: number } | undefined;
  #isDatabaseAway = false;

  constructor(clock: Pick<Clock, "now" | "wallNow">) {
    this.#clock = clock;
    this.#steps = new WallSteps(clock);
  }

  /** The first look begins. */
  begin(): void {
    this.#sinceMs = this.#clock.wallNow();
  }

  /** All that was due is done, or left to others. */
  followed(): void {
    this.#last = { wallMs: this.#clock.wallNow(), mark: this.#steps.mark() };
    this.#isDatabaseAway = false;
  }

  /** It could not be done. */
  failed(error: unknown): void {
    if (error instanceof StoreUnavailableError) this.#isDatabaseAway = true;
  }

  /** Why what was due then was not done in time. Undefined where it was seen in time, and left to others. */
  whyLate(dueMs: number): MissedReason | undefined {
    const { wallMs = this.#sinceMs, mark } = this.#last ?? {};
    if (dueMs <= wallMs) return this.#last === undefined ? "server-down" : undefined;
    if (this.#isDatabaseAway) return "database-unavailable";
    const stepMs = mark === undefined ? 0 : this.#steps.since(mark);
    const isJump = stepMs > 0 && this.#clock.wallNow() - stepMs - dueMs <= ON_TIME_MS;
    // Else this process stood still.
    return isJump ? "clock-jumped" : "server-down";
  }
}
