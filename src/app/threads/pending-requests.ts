import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";

/** Questions to the other thread that wait for their answers, each for so long at most. */
export class PendingRequests<Answer> {
  readonly #clock: Clock;
  readonly #deadlineMs: number;
  readonly #waiting = new Map<number, (answer: Answer | undefined) => void>();
  #lastId = 0;

  constructor(clock: Clock, deadlineMs: number) {
    this.#clock = clock;
    this.#deadlineMs = deadlineMs;
  }

  /** Undefined where no answer came in time. */
  ask(post: (requestId: number) => void): Promise<Answer | undefined> {
    this.#lastId += 1;
    const requestId = this.#lastId;
    return new Promise((resolve) => {
      const settle = (answer: Answer | undefined) => {
        timer.cancel();
        this.#waiting.delete(requestId);
        resolve(answer);
      };
      const timer = startDeadline(this.#clock, this.#deadlineMs, () => settle(undefined));
      this.#waiting.set(requestId, settle);
      post(requestId);
    });
  }

  /** False where nobody waits for it any more. */
  answered(requestId: number, answer: Answer): boolean {
    const settle = this.#waiting.get(requestId);
    settle?.(answer);
    return settle !== undefined;
  }
}
