import type { Clock } from "../base/clock.ts";
import { startDeadline } from "../base/deadline.ts";
import { isDatabaseAway, StoreUnavailableError } from "../control/ports/errors.ts";
import type { OwnershipRow, OwnershipStore } from "../control/ports/ownership-store.ts";
import type { ChannelId } from "../thread-protocol/channel-spec.ts";
import type { KnownOwnerships } from "./known-ownerships.ts";

/**
 * The database is not waited for longer than this where the owner is known without it, in milliseconds: one that is cut off
 * takes 3 s to fail a question and 5 s to fail a connection, and the encoder's thread waits 5 s.
 */
const PATIENCE_MS = 1_000;
/** A question that is not answered after this long is asked once more: one connection may be dead and the next alive. */
const AGAIN_MS = 400;

export type StoredOwnersDeps = {
  readonly store: Pick<OwnershipStore, "findOwner">;
  readonly known: Pick<KnownOwnerships, "get" | "note">;
  readonly clock: Pick<Clock, "awakeNow" | "startTimer">;
};

/** Asks the database who owns a channel. */
export class StoredOwners {
  readonly #deps: StoredOwnersDeps;

  constructor(deps: StoredOwnersDeps) {
    this.#deps = deps;
  }

  /**
   * Undefined where the channel never had an owner. Rejects with StoreUnavailableError where the database cannot be asked
   * twice; one that is silent for a second counts as unreachable if this node knows the channel.
   */
  find(channelId: ChannelId): Promise<OwnershipRow | undefined> {
    const { known, clock } = this.#deps;
    const { promise, resolve, reject } = Promise.withResolvers<OwnershipRow | undefined>();
    let questions = 0;
    let failures = 0;
    const ask = () => {
      questions += 1;
      this.#ask(channelId).then(resolve, (error: unknown) => {
        failures += 1;
        if (!isDatabaseAway(error)) reject(error);
        else if (questions < 2) ask();
        else if (failures === questions) reject(error);
      });
    };
    const timers = [
      startDeadline(clock, AGAIN_MS, () => {
        if (questions < 2) ask();
      }),
      startDeadline(clock, PATIENCE_MS, () => {
        if (known.get(channelId) !== undefined) reject(new StoreUnavailableError("unreachable"));
      }),
    ];
    ask();
    return promise.finally(() => {
      for (const timer of timers) timer.cancel();
    });
  }

  /** The same; where the database cannot be reached, what this node knows counts. */
  async findOrKnown(channelId: ChannelId): Promise<OwnershipRow | undefined> {
    try {
      return await this.find(channelId);
    } catch (error) {
      const row = isDatabaseAway(error) ? this.#deps.known.get(channelId) : undefined;
      if (row === undefined) throw error;
      return row;
    }
  }

  async #ask(channelId: ChannelId): Promise<OwnershipRow | undefined> {
    const row = await this.#deps.store.findOwner(channelId);
    // Also where it comes late: then it is known for the next time.
    if (row !== undefined) this.#deps.known.note(row);
    return row;
  }
}
