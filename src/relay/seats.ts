import type { IngestSlot } from "../exchange/channel-spec.ts";
import type { Feed } from "./feed.ts";

/**
 * The encoders connected to one channel: one for each key, and beside the one on air the newcomer that will take its
 * place at a keyframe.
 */
export class Seats {
  readonly #seated = new Map<IngestSlot, Feed>();
  readonly #newcomers = new Map<IngestSlot, Feed>();

  /** Every feed there is. */
  all(): Feed[] {
    return [...this.#seated.values(), ...this.#newcomers.values()];
  }

  has(feed: Feed): boolean {
    return this.#newcomers.get(feed.slot) === feed || this.#seated.get(feed.slot) === feed;
  }

  /** The feed that came last with this key. */
  latest(slot: IngestSlot): Feed | undefined {
    return this.#newcomers.get(slot) ?? this.#seated.get(slot);
  }

  /** Takes a feed in: beside the one on air if that has its seat, else in its seat. Answers the feeds this displaced. */
  seat(feed: Feed, onAir: Feed | undefined): Feed[] {
    const { slot } = feed;
    const displaced = [this.#newcomers.get(slot)];
    if (onAir !== undefined && this.#seated.get(slot) === onAir) this.#newcomers.set(slot, feed);
    else {
      displaced.push(this.#seated.get(slot));
      this.#newcomers.delete(slot);
      this.#seated.set(slot, feed);
    }
    return displaced.filter((each) => each !== undefined);
  }

  /**
   * A feed goes on air: it takes its seat if it was a newcomer, and so does the newcomer of the key that left the air. Answers who
   * had to go for that.
   */
  goOnAir(feed: Feed): Feed[] {
    const replaced = [...this.#newcomers.values()]
      .filter((newcomer) => newcomer === feed || newcomer.slot !== feed.slot)
      .map((newcomer) => this.#promote(newcomer));
    return replaced.filter((each) => each !== undefined);
  }

  /** A feed is gone; a newcomer for its seat moves up. */
  vacate(feed: Feed): void {
    const newcomer = this.#newcomers.get(feed.slot);
    if (newcomer === feed) {
      this.#newcomers.delete(feed.slot);
      return;
    }
    this.#seated.delete(feed.slot);
    if (newcomer !== undefined) this.#promote(newcomer);
  }

  clear(): void {
    this.#seated.clear();
    this.#newcomers.clear();
  }

  #promote(newcomer: Feed): Feed | undefined {
    const replaced = this.#seated.get(newcomer.slot);
    this.#newcomers.delete(newcomer.slot);
    this.#seated.set(newcomer.slot, newcomer);
    return replaced;
  }
}
