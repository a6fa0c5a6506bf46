import type { Clock } from "../base/clock.ts";
import type { Engine } from "../relay/engine.ts";
import type { ChannelId, ChannelSpec } from "../thread-protocol/channel-spec.ts";

/**
 * A channel stays where it was on air for as long as something of that broadcast still matters (a target's key that lingers,
 * encoders that fight), in milliseconds.
 */
const KEPT_MS = 2 * 60 * 1_000;
const SWEEP_INTERVAL_MS = 5_000;

export type OwnedChannelsDeps = {
  readonly clock: Pick<Clock, "startTimer">;
  readonly engine: Pick<Engine, "introduce" | "forgetIdle">;
  /** A channel is at home here no more. `grants`: how many encoders were admitted to it, as far as was heard here. */
  readonly onLeft: (channelId: ChannelId, grants: number) => void;
  /** How long a channel that is off air stays, in milliseconds; two minutes unless told. */
  readonly keptMs?: number;
};

/** Which channels are at home in this thread. One that is off air for long enough goes, so that it may begin elsewhere. */
export class OwnedChannels {
  readonly #deps: OwnedChannelsDeps;
  readonly #grants = new Map<ChannelId, number>();

  constructor(deps: OwnedChannelsDeps) {
    this.#deps = deps;
    this.#scheduleSweep();
  }

  /** An encoder was admitted to this channel, whichever thread has its connection. */
  granted(spec: ChannelSpec): void {
    this.#deps.engine.introduce(spec);
    this.#grants.set(spec.channelId, (this.#grants.get(spec.channelId) ?? 0) + 1);
  }

  removed(channelId: ChannelId): void {
    this.#grants.delete(channelId);
  }

  #scheduleSweep(): void {
    this.#deps.clock.startTimer(SWEEP_INTERVAL_MS, () => {
      for (const channelId of this.#deps.engine.forgetIdle(this.#deps.keptMs ?? KEPT_MS)) {
        const grants = this.#grants.get(channelId) ?? 0;
        this.#grants.delete(channelId);
        this.#deps.onLeft(channelId, grants);
      }
      this.#scheduleSweep();
    });
  }
}
