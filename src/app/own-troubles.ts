import type { Clock } from "../base/clock.ts";
import { type MachineTrouble, machineTroubleOf, systemCode } from "../base/system-errors.ts";
import { ServerTroubles, type TroubleChange } from "../control/server-troubles.ts";
import type { Fact } from "../exchange/facts.ts";
import { isCutOff } from "../net/machine-trouble.ts";
import { TroubleTeller } from "./trouble-teller.ts";

/** What is wrong with this process and its machine, from all threads and for everybody who shows it. */
export class OwnTroubles extends ServerTroubles {
  readonly #teller: TroubleTeller;

  constructor(clock: Clock, onChange: (change: TroubleChange) => void) {
    super({ clock, onChange });
    this.#teller = new TroubleTeller({ clock, isCutOff, tell: (trouble) => this.see(trouble) });
  }

  /** A connection of the control thread failed because of this machine. */
  met(trouble: MachineTrouble): void {
    this.#teller.met(trouble);
  }

  /** A listener was given an error instead of a connection: mostly there is no descriptor for it. */
  acceptFailed(error: Error): void {
    this.met(machineTroubleOf(systemCode(error)) ?? "descriptors");
  }

  /** The media threads tell theirs as facts. */
  fact(fact: Fact): void {
    if (fact.kind === "server-trouble") this.see(fact.trouble);
  }
}
