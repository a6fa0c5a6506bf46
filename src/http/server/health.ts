import type { Clock } from "../../base/clock.ts";
import type { ServerTrouble } from "../../control/facts/server-fact.ts";
import { StoreUnavailableError } from "../../control/ports/errors.ts";
import { TROUBLE_DETAILS } from "../answers/errors.ts";

/** A result of the database probe stays valid for this long, in milliseconds: asking more often costs nothing. */
const PROBE_LASTS_MS = 1_000;

export type HealthOptions = {
  readonly clock: Clock;
  /** Writes something to the database; rejects where that is not possible. */
  readonly probe: () => Promise<void>;
  /** What else is wrong with this server. */
  readonly troubles: () => readonly ServerTrouble[];
  /** How much this server has to do; absent: nobody measures it. */
  readonly ingestLoad?: () => IngestLoad;
};

/** What a load balancer in front of the encoders' port has to know. */
type IngestLoad = {
  /** It takes no new channels. */
  readonly isDraining: boolean;
  readonly egressBitsPerSecond: number;
  /** Undefined: nobody said how much it can send. */
  readonly capacityBitsPerSecond?: number | undefined;
  /** How late its slowest thread runs for some time, as the 99th percentile, in milliseconds. */
  readonly loopDelayMs: number;
  /** A thread that is later than this has no room for more, in milliseconds. */
  readonly loopDelayMsMax: number;
  /** From 0 to 1; undefined where the system does not say. */
  readonly descriptorShare?: number | undefined;
};

/** Above this share of what it can take a server is full. */
const FULL_SHARE = 0.8;

/** Whether this process can be sent requests. */
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

  /** Why no requests should be sent here, with a sentence for each reason; undefined where they may be sent. */
  async problem(): Promise<string | undefined> {
    const database = this.#isDraining ? undefined : await this.#databaseProblem();
    if (this.#isDraining) return "The server is stopping.";
    const all = sentences(database, this.#options.troubles());
    return all.length === 0 ? undefined : all.join(" ");
  }

  /**
   * Why no new channels should be sent here, in a sentence. Not because of the database: then all servers would have to be
   * taken out at once, although each goes on.
   */
  ingestProblem(): string | undefined {
    if (this.#isDraining) return "The server is stopping.";
    const load = this.#options.ingestLoad?.();
    if (load === undefined) return undefined;
    const { isDraining, egressBitsPerSecond, capacityBitsPerSecond, loopDelayMs, loopDelayMsMax } = load;
    if (isDraining) return "The server drains: it takes no new channels.";
    if (capacityBitsPerSecond !== undefined && egressBitsPerSecond > FULL_SHARE * capacityBitsPerSecond) {
      return "The server sends more than 80 % of what it can.";
    }
    if (loopDelayMs > loopDelayMsMax) return `A thread of the server is more than ${loopDelayMsMax} ms late.`;
    if ((load.descriptorShare ?? 0) > FULL_SHARE) return "The server has more than 80 % of its file descriptors open.";
    return undefined;
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

/**
 * What is wrong, each thing once: the probe knows why writes fail, and the trouble of a damaged database says what to
 * do.
 */
function sentences(database: string | undefined, troubles: readonly ServerTrouble[]): readonly string[] {
  if (database === undefined) return troubles.map(({ message }) => message);
  const others = troubles.filter(({ name }) => name !== "database-unwritable").map(({ message }) => message);
  const isReported = database === TROUBLE_DETAILS.damaged && troubles.some(({ name }) => name === "database-damaged");
  return isReported ? others : [database, ...others];
}

function problemOf(error: unknown): string {
  return TROUBLE_DETAILS[error instanceof StoreUnavailableError ? error.trouble : "unwritable"];
}
