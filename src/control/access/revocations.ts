import type { Clock, Timer } from "../../base/clock.ts";
import type { DashboardAccess } from "./dashboard-access.ts";

/**
 * A command in another process may end a session. While a session has something open, this is checked this often, in
 * milliseconds.
 */
const LOOK_MS = 500;
/** Where other nodes delete access keys, keys are looked at with every so many of these looks, should their word be lost. */
const KEYS_EVERY = 10;
/**
 * Ended owners that are remembered: a request from before the end may still be on its way. Their names are never used
 * again.
 */
const ENDED_MAX = 10_000;

/** Things that last longer than the request that opened them: event streams, previews, previews' tokens. */
export interface Lasting {
  /** The owners of what is open now: ids of access keys and names of sessions. */
  owners(): Iterable<string>;
  /** Ends everything that this owner opened. */
  endOf(owner: string): void;
}

export type RevocationOptions = {
  readonly clock: Clock;
  readonly dashboard: Pick<DashboardAccess, "goneAmong">;
  readonly lasting: readonly Lasting[];
  /** Where other nodes share the database; absent: only this process deletes keys. */
  readonly otherNodes?: {
    /** Returns which of these owners are access keys that no longer exist. */
    readonly goneKeys: (owners: ReadonlySet<string>) => Promise<readonly string[]>;
    /** Tells the other nodes that keys or sessions have ended: they look at once. */
    readonly tell: () => void;
  };
};

/** Makes sure that nothing outlives the key or the session that opened it. */
export class Revocations {
  readonly #options: RevocationOptions;
  readonly #ended = new Set<string>();
  #timer: Timer | undefined;
  #isClosed = false;
  #looks = 0;

  constructor(options: RevocationOptions) {
    this.#options = options;
  }

  start(): void {
    this.#timer = this.#options.clock.startTimer(LOOK_MS, () => void this.#lookAgain());
  }

  close(): void {
    this.#isClosed = true;
    this.#timer?.cancel();
  }

  /** Whether this owner has ended, so that a late request must open nothing. */
  isEnded(owner: string): boolean {
    return this.#ended.has(owner);
  }

  /** The key was deleted here, or the session signed out. */
  end(owner: string): void {
    this.#end(owner);
    this.#options.otherNodes?.tell();
  }

  #end(owner: string): void {
    this.#ended.add(owner);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
    for (const each of this.#options.lasting) each.endOf(owner);
  }

  /**
   * Ends what belongs to sessions that no longer exist, and to keys that another node deleted. Where they cannot be looked
   * up, it does nothing until the next time. Never rejects.
   */
  async look(areKeysToo = true): Promise<void> {
    const { dashboard, lasting, otherNodes } = this.#options;
    const owners = new Set(lasting.flatMap((each) => [...each.owners()]));
    const gone = await dashboard.goneAmong(owners).catch(() => []);
    const goneKeys = areKeysToo && owners.size > 0 ? await otherNodes?.goneKeys(owners).catch(() => []) : [];
    for (const owner of [...gone, ...(goneKeys ?? [])]) this.#end(owner);
  }

  async #lookAgain(): Promise<void> {
    this.#looks += 1;
    await this.look(this.#looks % KEYS_EVERY === 0);
    if (!this.#isClosed) this.start();
  }
}
