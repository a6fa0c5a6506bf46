import type { Clock } from "../../base/clock.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import { type ServerTroubleName, sharedTrouble } from "../../thread-protocol/server-troubles.ts";

/** Each trouble is reported at most this often, in milliseconds: hundreds of targets may meet one at once. */
const REPORTED_EACH_MS = 1_000;

export type TroubleReporterDeps = {
  readonly clock: Clock;
  /** Whether no route leads out of this machine. */
  readonly isCutOff: () => boolean;
  readonly onTrouble: (trouble: ServerTroubleName) => void;
};

/**
 * Reports troubles of the machine that single connections meet. One target without a route is only that target's
 * problem.
 */
export class TroubleReporter {
  readonly #deps: TroubleReporterDeps;
  readonly #reportedMs = new Map<ServerTroubleName, number>();

  constructor(deps: TroubleReporterDeps) {
    this.#deps = deps;
  }

  met(trouble: MachineTrouble): void {
    const { clock, isCutOff, onTrouble } = this.#deps;
    const name = sharedTrouble(trouble);
    if (name === undefined) return;
    const nowMs = clock.now();
    if (nowMs - (this.#reportedMs.get(name) ?? Number.NEGATIVE_INFINITY) < REPORTED_EACH_MS) return;
    this.#reportedMs.set(name, nowMs);
    if (name !== "no-route" || isCutOff()) onTrouble(name);
  }
}
