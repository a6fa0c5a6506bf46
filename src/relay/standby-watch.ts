import { type Air, standbyOf } from "./air.ts";
import { differences } from "./compatibility.ts";
import type { Feed } from "./feed.ts";
import type { StreamHead } from "./stream-head.ts";

/** Whether the encoder of the other key could take over quietly. */
export class StandbyWatch {
  #differs: string | undefined;

  /** In words, how it differs from what is on air; undefined where there is none, or it does not. */
  get differs(): string | undefined {
    return this.#differs;
  }

  /** Answers what is to be told: an encoder that differs, when it first shows. */
  look(
    air: Air,
    feeds: readonly Feed[],
    onAir: StreamHead,
    awakeMs: number,
  ): { readonly standby: Feed; readonly detail: string } | undefined {
    const standby = standbyOf(air, feeds, awakeMs);
    const detail = standby === undefined ? "" : differences(onAir, standby.head);
    const differs = detail === "" ? undefined : detail;
    if (differs === this.#differs) return undefined;
    this.#differs = differs;
    return standby === undefined || differs === undefined ? undefined : { standby, detail };
  }

  forget(): void {
    this.#differs = undefined;
  }
}
