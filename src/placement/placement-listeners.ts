import type { Log } from "../base/log.ts";
import type { PlacementChange } from "../control/ports/channel-placement.ts";

/** Everybody who follows the changes of a placement. What one throws is logged, and disturbs neither the others nor the caller. */
export class PlacementListeners {
  readonly #log: Log;
  readonly #listeners = new Set<(change: PlacementChange) => void>();

  constructor(log: Log) {
    this.#log = log;
  }

  /** Returns a function that ends the subscription. */
  add(take: (change: PlacementChange) => void): () => void {
    this.#listeners.add(take);
    return () => this.#listeners.delete(take);
  }

  publish(change: PlacementChange): void {
    for (const take of this.#listeners) {
      try {
        take(change);
      } catch (error) {
        const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
        this.#log.error("placement listener failed", { channelId: change.channelId, detail });
      }
    }
  }
}
