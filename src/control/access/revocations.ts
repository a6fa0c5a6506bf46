import type { Clock, Timer } from "../../base/clock.ts";
import type { DashboardAccess } from "./dashboard-access.ts";

/** A session may end by a command in another process: looked for this often, in milliseconds, while something lasts that a session opened. */
const LOOK_MS = 500;
/** Ended owners that are remembered: a request that came before the end may still be on its way. Their names are never given again. */
const ENDED_MAX = 10_000;

/** What lasts longer than the request that opened it: event streams, previews, previews' tokens. */
export interface Lasting {
  /** Who opened what is open now: access keys' ids, and what sessions are called. */
  owners(): Iterable<string>;
  /** All that this one opened ends. */
  endOf(owner: string): void;
}

export type RevocationOptions = {
  readonly clock: Clock;
  readonly dashboard: Pick<DashboardAccess, "goneAmong">;
  readonly lasting: readonly Lasting[];
};

/** Sees to it that nothing outlives the key or the session it was opened with. */
export class Revocations {
  readonly #options: RevocationOptions;
  readonly #ended = new Set<string>();
  #timer: Timer | undefined;
  #isClosed = false;

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

  /** Whether what this one asks for now would outlive it. */
  isEnded(owner: string): boolean {
    return this.#ended.has(owner);
  }

  /** The key was deleted, or the session signed out. */
  end(owner: string): void {
    this.#ended.add(owner);
    for (const oldest of this.#ended) {
      if (this.#ended.size <= ENDED_MAX) break;
      this.#ended.delete(oldest);
    }
    for (const each of this.#options.lasting) each.endOf(owner);
  }

  /** Ends what belongs to sessions that are no more; where they cannot be looked up, nothing until the next look. Never rejects. */
  async look(): Promise<void> {
    const { dashboard, lasting } = this.#options;
    const owners = new Set(lasting.flatMap((each) => [...each.owners()]));
    const gone = await dashboard.goneAmong(owners).catch(() => []);
    for (const owner of gone) this.end(owner);
  }

  async #lookAgain(): Promise<void> {
    await this.look();
    if (!this.#isClosed) this.start();
  }
}
