import type { Clock } from "../base/clock.ts";
import { LinkError } from "./frames.ts";

/** What peers do wrong is told once in this time, in milliseconds: anybody who reaches the port can do it as often as he likes. */
const TOLD_AGAIN_MS = 60_000;

/** `count`: of all since the last one was told. */
export type PeerFault = { readonly detail: string; readonly count: number };

/** Tells mistakes of peers, or their silence, from those of this program. */
export class PeerFaults {
  readonly #clock: Pick<Clock, "now">;
  readonly #onFault: (fault: PeerFault) => void;
  #toldMs = Number.NEGATIVE_INFINITY;
  #count = 0;

  constructor(clock: Pick<Clock, "now">, onFault: (fault: PeerFault) => void) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /** Returns whether it is a peer's. */
  take(error: unknown): boolean {
    if (!(error instanceof LinkError)) return false;
    this.#count += 1;
    const nowMs = this.#clock.now();
    if (nowMs - this.#toldMs < TOLD_AGAIN_MS) return true;
    this.#onFault({ detail: error.message, count: this.#count });
    this.#toldMs = nowMs;
    this.#count = 0;
    return true;
  }
}
