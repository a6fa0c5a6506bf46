import type { Clock } from "../base/clock.ts";
import { StoreUnavailableError } from "../control/errors.ts";
import { TROUBLE_DETAILS } from "./errors.ts";

/** An answer about the database stays true for this long, in milliseconds: whoever asks more often costs nothing. */
const PROBE_LASTS_MS = 1_000;

export type HealthOptions = {
  readonly clock: Clock;
  /** Writes something to the database; rejects where that cannot be done. */
  readonly probe: () => Promise<void>;
};

/** Whether this process may be sent requests. */
export class Health {
  readonly #options: HealthOptions;
  #isDraining = false;
  #probed: { readonly atMs: number; readonly problem: Promise<string | undefined> } | undefined;

  constructor(options: HealthOptions) {
    this.#options = options;
  }

  /** The process is about to stop. */
  drain(): void {
    this.#isDraining = true;
  }

  /** Why no requests should be sent here, in one sentence; undefined where they may. */
  async problem(): Promise<string | undefined> {
    const found = this.#isDraining ? undefined : await this.#databaseProblem();
    return this.#isDraining ? "The server is stopping." : found;
  }

  #databaseProblem(): Promise<string | undefined> {
    const { clock, probe } = this.#options;
    const atMs = clock.now();
    if (this.#probed === undefined || atMs - this.#probed.atMs >= PROBE_LASTS_MS) {
      this.#probed = { atMs, problem: probe().then(() => undefined, problemOf) };
    }
    return this.#probed.problem;
  }
}

function problemOf(error: unknown): string {
  return TROUBLE_DETAILS[error instanceof StoreUnavailableError ? error.trouble : "unwritable"];
}
