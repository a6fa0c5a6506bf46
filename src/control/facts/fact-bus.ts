import type { Log } from "../../base/log.ts";

type Subscriber<Published> = { readonly name: string; readonly take: (fact: Published) => void };

/**
 * Delivers every fact to all subscribers, in the order of their subscriptions. What a subscriber publishes while it
 * takes a fact is delivered after that fact, so all subscribers see the same order. A subscriber that throws is logged
 * with its name; the others and the publisher are not affected.
 */
export class FactBus<Published> {
  readonly #log: Log;
  readonly #subscribers: Subscriber<Published>[] = [];
  readonly #queue: Published[] = [];
  #isDelivering = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `name` is for the log. `take` is called synchronously and must not wait for anything. */
  subscribe(name: string, take: (fact: Published) => void): void {
    this.#subscribers.push({ name, take });
  }

  /**
   * Delivers the fact to all subscribers before it returns, or, during the delivery of another fact, right after that
   * one.
   */
  publish(fact: Published): void {
    this.#queue.push(fact);
    if (this.#isDelivering) return;
    this.#isDelivering = true;
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#deliver(next);
    this.#isDelivering = false;
  }

  #deliver(fact: Published): void {
    for (const { name, take } of this.#subscribers) {
      try {
        take(fact);
      } catch (error) {
        this.#report(name, error);
      }
    }
  }

  #report(subscriber: string, error: unknown): void {
    try {
      const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
      this.#log.error("subscriber failed", { subscriber, detail });
    } catch {
      // A log that throws must keep no fact from the other subscribers.
    }
  }
}
