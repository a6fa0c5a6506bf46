import type { Publisher } from "../publisher/publisher.ts";
import { differences } from "../stream/config/compatibility.ts";
import type { DecoderConfig } from "../stream/config/decoder-config.ts";
import { standbyOf } from "./broadcast-rules.ts";
import type { BroadcastState } from "./broadcast-state.ts";

/** Whether the targets could stay connected if the other key's publisher took over. */
export class StandbyWatch {
  #differs: string | undefined;

  /** How the standby differs from what is on air, in words; undefined where there is none, or it does not differ. */
  get differs(): string | undefined {
    return this.#differs;
  }

  /** Returns a standby that differs, when that first shows or when it changes. */
  look(
    state: BroadcastState<Publisher>,
    publishers: readonly Publisher[],
    onAir: DecoderConfig,
    awakeMs: number,
  ): { readonly standby: Publisher; readonly detail: string } | undefined {
    const standby = standbyOf(state, publishers, awakeMs);
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
