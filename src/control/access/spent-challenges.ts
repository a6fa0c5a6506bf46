import type { Clock } from "../../base/clock.ts";

/** No challenge is good for longer than this after it was given, so none has to be remembered for longer. In milliseconds. */
const REMEMBERED_MS = 60_000;
/** More than this many within a minute is no crowd of encoders: further ones are taken for spent. */
const SPENT_MAX = 65_536;

/** Challenges that encoders have proven their password with: each is good once, whichever media thread is asked. */
export class SpentChallenges {
  readonly #clock: Pick<Clock, "now">;
  /** When each may be forgotten, in the order of their use. */
  readonly #spent = new Map<string, number>();

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /** Uses a challenge up; false where it was used before. */
  spend(challenge: string): boolean {
    const nowMs = this.#clock.now();
    for (const [spent, untilMs] of this.#spent) {
      if (untilMs > nowMs) break;
      this.#spent.delete(spent);
    }
    if (this.#spent.has(challenge) || this.#spent.size >= SPENT_MAX) return false;
    this.#spent.set(challenge, nowMs + REMEMBERED_MS);
    return true;
  }
}
