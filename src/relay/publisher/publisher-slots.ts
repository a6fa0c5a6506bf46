import type { IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { Publisher } from "./publisher.ts";

/**
 * The encoders connected to one channel: one for each key, and beside the one on air the newcomer that will take its
 * place at a keyframe.
 */
export class PublisherSlots {
  readonly #inSlot = new Map<IngestSlot, Publisher>();
  readonly #newcomers = new Map<IngestSlot, Publisher>();

  /** Every feed there is. */
  all(): Publisher[] {
    return [...this.#inSlot.values(), ...this.#newcomers.values()];
  }

  has(publisher: Publisher): boolean {
    return this.#newcomers.get(publisher.slot) === publisher || this.#inSlot.get(publisher.slot) === publisher;
  }

  /** The feed that came last with this key. */
  latest(slot: IngestSlot): Publisher | undefined {
    return this.#newcomers.get(slot) ?? this.#inSlot.get(slot);
  }

  /** Takes a feed in: beside the one on air if that has its seat, else in its seat. Answers the feeds this displaced. */
  seat(publisher: Publisher, onAir: Publisher | undefined): Publisher[] {
    const { slot } = publisher;
    const displaced = [this.#newcomers.get(slot)];
    if (onAir !== undefined && this.#inSlot.get(slot) === onAir) this.#newcomers.set(slot, publisher);
    else {
      displaced.push(this.#inSlot.get(slot));
      this.#newcomers.delete(slot);
      this.#inSlot.set(slot, publisher);
    }
    return displaced.filter((each) => each !== undefined);
  }

  /**
   * A feed goes on air: it takes its seat if it was a newcomer, and so does the newcomer of the key that left the air. Answers who
   * had to go for that.
   */
  goOnAir(publisher: Publisher): Publisher[] {
    const replaced = [...this.#newcomers.values()]
      .filter((newcomer) => newcomer === publisher || newcomer.slot !== publisher.slot)
      .map((newcomer) => this.#promote(newcomer));
    return replaced.filter((each) => each !== undefined);
  }

  /** A feed is gone; a newcomer for its seat moves up. */
  vacate(publisher: Publisher): void {
    const newcomer = this.#newcomers.get(publisher.slot);
    if (newcomer === publisher) {
      this.#newcomers.delete(publisher.slot);
      return;
    }
    this.#inSlot.delete(publisher.slot);
    if (newcomer !== undefined) this.#promote(newcomer);
  }

  clear(): void {
    this.#inSlot.clear();
    this.#newcomers.clear();
  }

  #promote(newcomer: Publisher): Publisher | undefined {
    const replaced = this.#inSlot.get(newcomer.slot);
    this.#newcomers.delete(newcomer.slot);
    this.#inSlot.set(newcomer.slot, newcomer);
    return replaced;
  }
}
