import { type BroadcastState, standbyOf } from "./broadcast-state.ts";
import type { Publisher } from "./publisher/publisher.ts";
import { differences } from "./stream/config/compatibility.ts";
import type { DecoderConfig } from "./stream/config/decoder-config.ts";

/** Whether the encoder of the other key could take over quietly. */
export class StandbyWatch {
  #differs: string | undefined;

  /** In words, how it differs from what is on air; undefined where there is none, or it does not. */
  get differs(): string | undefined {
    return this.#differs;
  }

  /** Answers what is to be told: an encoder that differs, when it first shows. */
  look(
    air: BroadcastState,
    publishers: readonly Publisher[],
    onAir: DecoderConfig,
    awakeMs: number,
  ): { readonly standby: Publisher; readonly detail: string } | undefined {
    const standby = standbyOf(air, publishers, awakeMs);
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
