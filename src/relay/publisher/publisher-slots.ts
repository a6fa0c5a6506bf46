import type { IngestSlot } from "../../thread-protocol/channel-spec.ts";
import type { Publisher } from "./publisher.ts";

/**
 * The publishers connected to one channel: one for each key, and beside the one on air the newcomer that will replace it at
 * a keyframe.
 */
export class PublisherSlots {
  readonly #inSlot = new Map<IngestSlot, Publisher>();
  readonly #newcomers = new Map<IngestSlot, Publisher>();

  /** All publishers: those in slots first, then newcomers. */
  all(): Publisher[] {
    return [...this.#inSlot.values(), ...this.#newcomers.values()];
  }

  has(publisher: Publisher): boolean {
    return this.#newcomers.get(publisher.slot) === publisher || this.#inSlot.get(publisher.slot) === publisher;
  }

  /** The publisher that connected last with this key. */
  latest(slot: IngestSlot): Publisher | undefined {
    return this.#newcomers.get(slot) ?? this.#inSlot.get(slot);
  }

  /**
   * Adds a publisher: as the newcomer where the publisher on air has its slot, else in the slot. Returns the displaced
   * ones.
   */
  add(publisher: Publisher, onAir: Publisher | undefined): Publisher[] {
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
   * A publisher goes on air: it takes its slot if it was a newcomer, and so does the newcomer of the key that goes off
   * air. Returns the publishers that were replaced.
   */
  goOnAir(publisher: Publisher): Publisher[] {
    const replaced = [...this.#newcomers.values()]
      .filter((newcomer) => newcomer === publisher || newcomer.slot !== publisher.slot)
      .map((newcomer) => this.#promote(newcomer));
    return replaced.filter((each) => each !== undefined);
  }

  /** A publisher has left. A newcomer for its slot stays a newcomer until it goes on air. */
  remove(publisher: Publisher): void {
    const { slot } = publisher;
    if (this.#newcomers.get(slot) === publisher) this.#newcomers.delete(slot);
    else this.#inSlot.delete(slot);
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
