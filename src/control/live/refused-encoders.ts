import type { Clock } from "../../base/clock.ts";
import { RefusalList, type RefusedEncoder } from "../facts/refusal-list.ts";
import type { ServerFact } from "../facts/server-fact.ts";

/** Addresses that are remembered, */
const ADDRESSES_MAX = 100;
/** and for how long, in milliseconds. */
const KEPT_MS = 24 * 60 * 60 * 1_000;

/** Recently rejected encoders. A wrong key belongs to no channel, so this list belongs to the server. */
export class RefusedEncoders {
  readonly #clock: Clock;
  readonly #list = new RefusalList(ADDRESSES_MAX);

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Returns the entry that this fact made or changed; undefined where it is none of these refusals. */
  fact(fact: ServerFact): RefusedEncoder | undefined {
    return this.#list.add(fact);
  }

  /** Latest first. */
  list(): readonly RefusedEncoder[] {
    this.#list.forgetBefore(this.#clock.wallNow() - KEPT_MS);
    return this.#list.list();
  }
}
