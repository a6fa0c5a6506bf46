import type { Clock, Timer } from "../../base/clock.ts";
import { type ServerTroubleName, serverTroubleText } from "../../thread-protocol/server-troubles.ts";
import type { ServerTrouble, TroubleChanged } from "../facts/server-fact.ts";

/**
 * A trouble is over when it was not seen for this long, in milliseconds: longer than the longest pause between two
 * attempts of a target.
 */
const SEEN_LASTS_MS = 40_000;

type Entry = { readonly trouble: ServerTrouble; timer: Timer | undefined };

export type ServerTroublesDeps = {
  readonly clock: Clock;
  /** Called when a trouble began or ended. Must not throw. */
  readonly publish: (fact: TroubleChanged) => void;
};

/**
 * Everything that is wrong with this server itself, from all threads; the source for `/readyz`, the log, the metrics
 * and the dashboard. A trouble that is only seen now and then (`see`) ends when it was not seen for a while; others
 * have a known beginning and end (`set`).
 */
export class ServerTroubles {
  readonly #deps: ServerTroublesDeps;
  readonly #entries = new Map<ServerTroubleName, Entry>();

  constructor(deps: ServerTroublesDeps) {
    this.#deps = deps;
  }

  /** The trouble was seen just now. */
  see(name: ServerTroubleName): void {
    const entry = this.#begin(name);
    entry.timer?.cancel();
    entry.timer = this.#deps.clock.startTimer(SEEN_LASTS_MS, () => this.#end(name));
  }

  /** It lasts until it is set to false. */
  set(name: ServerTroubleName, isThere: boolean): void {
    if (isThere) this.#begin(name);
    else this.#end(name);
  }

  /** Oldest first. */
  get current(): readonly ServerTrouble[] {
    return [...this.#entries.values()].map(({ trouble }) => trouble);
  }

  #begin(name: ServerTroubleName): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const trouble = { name, sinceTime: this.#deps.clock.wallNow(), ...serverTroubleText(name) };
    const entry: Entry = { trouble, timer: undefined };
    this.#entries.set(name, entry);
    this.#deps.publish({ kind: "server-trouble-changed", trouble, isOver: false });
    return entry;
  }

  #end(name: ServerTroubleName): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.timer?.cancel();
    this.#entries.delete(name);
    this.#deps.publish({ kind: "server-trouble-changed", trouble: entry.trouble, isOver: true });
  }
}
