import type { Clock, Timer } from "../../base/clock.ts";
import { type ServerTroubleName, serverTroubleText } from "../../thread-protocol/server-troubles.ts";

/** A trouble is over when it was not seen for so long, in milliseconds: longer than the longest pause between two tries of a target. */
const SEEN_LASTS_MS = 40_000;

/** What is the matter with this server at the moment. */
export type ServerTrouble = {
  readonly name: ServerTroubleName;
  /** Milliseconds since the Unix epoch. */
  readonly sinceTime: number;
  readonly message: string;
  readonly messageKo: string;
};

export type TroubleChange = { readonly trouble: ServerTrouble; readonly isOver: boolean };

type Entry = { readonly trouble: ServerTrouble; timer: Timer | undefined };

export type ServerTroublesDeps = {
  readonly clock: Clock;
  /** A trouble came or went. */
  readonly onChange: (change: TroubleChange) => void;
};

/**
 * The one place for what is wrong with this server itself, whoever noticed it: whoever shows such things, `/readyz`, the log, the
 * dashboard, reads it here. Troubles that are only met now and then (`see`) are over when nobody met them for a while;
 * others are told of both ways (`set`).
 */
export class ServerTroubles {
  readonly #deps: ServerTroublesDeps;
  readonly #entries = new Map<ServerTroubleName, Entry>();

  constructor(deps: ServerTroublesDeps) {
    this.#deps = deps;
  }

  /** Somebody met it just now. */
  see(name: ServerTroubleName): void {
    const entry = this.#begin(name);
    entry.timer?.cancel();
    entry.timer = this.#deps.clock.startTimer(SEEN_LASTS_MS, () => this.#end(name));
  }

  /** It is there until told otherwise. */
  set(name: ServerTroubleName, isThere: boolean): void {
    if (isThere) this.#begin(name);
    else this.#end(name);
  }

  /** The oldest first. */
  get current(): readonly ServerTrouble[] {
    return [...this.#entries.values()].map(({ trouble }) => trouble);
  }

  #begin(name: ServerTroubleName): Entry {
    const known = this.#entries.get(name);
    if (known !== undefined) return known;
    const trouble = { name, sinceTime: this.#deps.clock.wallNow(), ...serverTroubleText(name) };
    const entry: Entry = { trouble, timer: undefined };
    this.#entries.set(name, entry);
    this.#deps.onChange({ trouble, isOver: false });
    return entry;
  }

  #end(name: ServerTroubleName): void {
    const entry = this.#entries.get(name);
    if (entry === undefined) return;
    entry.timer?.cancel();
    this.#entries.delete(name);
    this.#deps.onChange({ trouble: entry.trouble, isOver: true });
  }
}
