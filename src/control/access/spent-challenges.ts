import type { Clock } from "../../base/clock.ts";

/**
 * No challenge is valid for longer than this, whatever the clock of the server that looks at it, so none must be
 * remembered for longer. In milliseconds.
 */
export const CHALLENGE_REMEMBERED_MS = 180_000;
/** More than this many within that time come from no crowd of encoders: further ones count as used. */
const SPENT_MAX = 65_536;

/** Challenges that encoders have used to prove their password. Each is valid once, in all media threads together. */
export class SpentChallenges {
  readonly #clock: Pick<Clock, "now">;
  /** When each can be forgotten (monotonic milliseconds), in the order of their use. */
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
    this.#spent.set(challenge, nowMs + CHALLENGE_REMEMBERED_MS);
    return true;
  }
}
