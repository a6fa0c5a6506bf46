import type { Log } from "../../base/log.ts";

type Subscriber<Told> = { readonly name: string; readonly take: (told: Told) => void };

/**
 * Tells every subscriber what happened, in the order of their subscriptions. What a subscriber publishes while it takes
 * something is told after that, so all subscribers see the same order. A subscriber that throws is logged with its name;
 * the others and the publisher notice nothing.
 */
export class FactBus<Told> {
  readonly #log: Log;
  readonly #subscribers: Subscriber<Told>[] = [];
  readonly #queue: Told[] = [];
  #isTelling = false;

  constructor(log: Log) {
    this.#log = log;
  }

  /** `name` is for the log. `take` is called synchronously and must not wait for anything. */
  subscribe(name: string, take: (told: Told) => void): void {
    this.#subscribers.push({ name, take });
  }

  /** Tells it to all subscribers before it returns, or, while another fact is being told, right after that one. */
  publish(told: Told): void {
    this.#queue.push(told);
    if (this.#isTelling) return;
    this.#isTelling = true;
    try {
      for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) this.#tell(next);
    } finally {
      // A log that throws must not silence the bus for ever.
      this.#isTelling = false;
    }
  }

  #tell(told: Told): void {
    for (const { name, take } of this.#subscribers) {
      try {
        take(told);
      } catch (error) {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log.error("subscriber failed", { subscriber: name, detail });
      }
    }
  }
}
