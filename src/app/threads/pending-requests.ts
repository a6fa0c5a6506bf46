import type { Clock } from "../../base/clock.ts";
import { startDeadline } from "../../base/deadline.ts";

/** Why a request has no reply: none came in time, or the other thread is gone. */
export type Unanswered = "timed-out" | "gone";

/** Requests to another thread that wait for their replies. */
export class PendingRequests<Reply extends object> {
  readonly #clock: Clock;
  readonly #pending = new Map<number, (outcome: Reply | Unanswered) => void>();
  #lastId = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Sends a request by calling `post` with its number, and waits for the reply. Never rejects. `deadlineMs`: milliseconds, not
   * counting time in which this process stood still.
   */
  ask(deadlineMs: number, post: (requestId: number) => void): Promise<Reply | Unanswered> {
    this.#lastId += 1;
    const requestId = this.#lastId;
    return new Promise((resolve) => {
      const timer = startDeadline(this.#clock, deadlineMs, () => this.#settle(requestId, "timed-out"));
      this.#pending.set(requestId, (outcome) => {
        timer.cancel();
        resolve(outcome);
      });
      post(requestId);
    });
  }

  /**
   * Takes a reply. Returns false where the request no longer waits: the caller then has to free what came with the
   * reply.
   */
  reply(requestId: number, reply: Reply): boolean {
    return this.#settle(requestId, reply);
  }

  /** The other thread is gone: no reply will come. Later requests go to the thread that replaces it. */
  abandon(): void {
    for (const requestId of [...this.#pending.keys()]) this.#settle(requestId, "gone");
  }

  #settle(requestId: number, outcome: Reply | Unanswered): boolean {
    const settle = this.#pending.get(requestId);
    this.#pending.delete(requestId);
    settle?.(outcome);
    return settle !== undefined;
  }
}
