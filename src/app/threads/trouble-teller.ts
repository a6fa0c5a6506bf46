import type { Clock } from "../../base/clock.ts";
import type { MachineTrouble } from "../../base/system-errors.ts";
import { type ServerTroubleName, sharedTrouble } from "../../thread-protocol/server-troubles.ts";

/** Each trouble is reported at most this often, in milliseconds: hundreds of targets may meet one at once. */
const TOLD_EACH_MS = 1_000;

export type TroubleTellerDeps = {
  readonly clock: Clock;
  /** Whether no route leads out of this machine. */
  readonly isCutOff: () => boolean;
  readonly tell: (trouble: ServerTroubleName) => void;
};

/**
 * Makes troubles of the machine out of what single connections meet. One target without a route is that target's
 * problem only.
 */
export class TroubleTeller {
  readonly #deps: TroubleTellerDeps;
  readonly #toldMs = new Map<ServerTroubleName, number>();

  constructor(deps: TroubleTellerDeps) {
    this.#deps = deps;
  }

  met(trouble: MachineTrouble): void {
    const { clock, isCutOff, tell } = this.#deps;
    const name = sharedTrouble(trouble);
    if (name === undefined) return;
    const nowMs = clock.now();
    if (nowMs - (this.#toldMs.get(name) ?? Number.NEGATIVE_INFINITY) < TOLD_EACH_MS) return;
    this.#toldMs.set(name, nowMs);
    if (name !== "no-route" || isCutOff()) tell(name);
  }
}
