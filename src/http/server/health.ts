import type { Clock } from "../../base/clock.ts";
import type { ServerTrouble } from "../../control/facts/server-fact.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import { TROUBLE_DETAILS } from "../answers/errors.ts";

/** An answer about the database stays true for this long, in milliseconds: asking more often costs nothing. */
const PROBE_LASTS_MS = 1_000;

export type HealthOptions = {
  readonly clock: Clock;
  /** Writes something to the database; rejects where that cannot be done. */
  readonly probe: () => Promise<void>;
  /** What else is wrong with this server. */
  readonly troubles: () => readonly ServerTrouble[];
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

  /** Why no requests should be sent here, in a sentence for each reason; undefined where they may. */
  async problem(): Promise<string | undefined> {
    const database = this.#isDraining ? undefined : await this.#databaseProblem();
    if (this.#isDraining) return "The server is stopping.";
    const all = sentences(database, this.#options.troubles());
    return all.length === 0 ? undefined : all.join(" ");
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

/** What is the matter, each thing once: of the database's writes the probe knows why, of its damage the trouble what to do. */
function sentences(database: string | undefined, troubles: readonly ServerTrouble[]): readonly string[] {
  if (database === undefined) return troubles.map(({ message }) => message);
  const others = troubles.filter(({ name }) => name !== "database-unwritable").map(({ message }) => message);
  const isReported = database === TROUBLE_DETAILS.damaged && troubles.some(({ name }) => name === "database-damaged");
  return isReported ? others : [database, ...others];
}

function problemOf(error: unknown): string {
  return TROUBLE_DETAILS[error instanceof StoreUnavailableError ? error.trouble : "unwritable"];
}
