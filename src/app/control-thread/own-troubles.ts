import type { Clock } from "../../base/clock.ts";
import { type MachineTrouble, machineTroubleOf, systemCode } from "../../base/system-errors.ts";
import type { ServerFact, TroubleChanged } from "../../control/facts/server-fact.ts";
import { ServerTroubles } from "../../control/live/server-troubles.ts";
import { isCutOff, machineTroubleNow } from "../../net/kernel/machine-trouble.ts";
import { TroubleReporter } from "../threads/trouble-reporter.ts";

/** How often this checks for a free descriptor, in milliseconds. */
const LOOK_MS = 5_000;

/** What is wrong with this process and its machine, as all threads report it. */
export class OwnTroubles extends ServerTroubles {
  readonly #reporter: TroubleReporter;
  readonly #clock: Clock;

  constructor(clock: Clock, publish: (fact: TroubleChanged) => void) {
    super({ clock, publish });
    this.#clock = clock;
    this.#reporter = new TroubleReporter({ clock, isCutOff, onTrouble: (trouble) => this.see(trouble) });
  }

  /** Makes one that also checks for troubles by itself. */
  static watching(clock: Clock, publish: (fact: TroubleChanged) => void): OwnTroubles {
    const troubles = new OwnTroubles(clock, publish);
    // Not at once: the subscribers are not built yet.
    clock.startTimer(LOOK_MS, () => troubles.watchDescriptors());
    return troubles;
  }

  /**
   * Checks now and then for a free descriptor. Without one a listener drops new connections, and neither Node nor libuv reports it.
   * `lacks`: what this machine lacks now.
   */
  watchDescriptors(lacks: () => MachineTrouble | undefined = machineTroubleNow): void {
    if (lacks() === "descriptors") this.see("descriptors");
    this.#clock.startTimer(LOOK_MS, () => this.watchDescriptors(lacks));
  }

  /** A connection of the control thread failed because of this machine. */
  met(trouble: MachineTrouble): void {
    this.#reporter.met(trouble);
  }

  /** A listener got an error instead of a connection: usually no descriptor is free. */
  acceptFailed(error: Error): void {
    this.met(machineTroubleOf(systemCode(error)) ?? "descriptors");
  }

  /** Media threads report their troubles as facts. */
  fact(fact: ServerFact): void {
    if (fact.kind === "server-trouble") this.see(fact.trouble);
  }
}
