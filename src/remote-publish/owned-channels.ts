import type { Clock } from "../base/clock.ts";
import type { Engine } from "../relay/engine.ts";
import type { ChannelId, ChannelSpec } from "../thread-protocol/channel-spec.ts";

/**
 * How long a thread keeps a channel that is off air, in milliseconds. In this time parts of the broadcast may still
 * matter, such as encoders that push each other out.
 */
const KEPT_MS = 2 * 60 * 1_000;
const SWEEP_INTERVAL_MS = 5_000;
/** The same once another process accepts the encoders: it should get channels that are off air. */
const HANDED_OVER_KEPT_MS = 2_000;
const HANDED_OVER_SWEEP_INTERVAL_MS = 500;

export type OwnedChannelsDeps = {
  readonly clock: Pick<Clock, "startTimer">;
  readonly engine: Pick<Engine, "introduce" | "forgetIdle">;
  /** This thread has forgotten a channel. `admissions`: how many encoders were admitted to it, as far as this thread knows. */
  readonly onReleased: (channelId: ChannelId, admissions: number) => void;
  /** How long a channel that is off air is kept, in milliseconds; default two minutes. Infinity: until `handOver`. */
  readonly keptMs?: number;
};

/** The channels that this thread owns. It releases one that is off air for long enough, so that another thread may own it. */
export class OwnedChannels {
  readonly #deps: OwnedChannelsDeps;
  readonly #admissions = new Map<ChannelId, number>();
  #isHandedOver = false;

  constructor(deps: OwnedChannelsDeps) {
    this.#deps = deps;
    if (deps.keptMs !== Number.POSITIVE_INFINITY) this.#scheduleSweep();
  }

  /** Another process accepts the encoders from now on: channels that are off air are released after two seconds. */
  handOver(): void {
    if (this.#isHandedOver) return;
    this.#isHandedOver = true;
    this.#scheduleSweep();
  }

  /** An encoder was admitted to this channel. Its connection may be in any thread. */
  admitted(spec: ChannelSpec): void {
    this.#deps.engine.introduce(spec);
    this.#admissions.set(spec.channelId, (this.#admissions.get(spec.channelId) ?? 0) + 1);
  }

  removed(channelId: ChannelId): void {
    this.#admissions.delete(channelId);
  }

  #scheduleSweep(): void {
    const wasHandedOver = this.#isHandedOver;
    const [intervalMs, keptMs] = wasHandedOver
      ? [HANDED_OVER_SWEEP_INTERVAL_MS, HANDED_OVER_KEPT_MS]
      : [SWEEP_INTERVAL_MS, this.#deps.keptMs ?? KEPT_MS];
    this.#deps.clock.startTimer(intervalMs, () => {
      // `handOver` has started the quicker sweep.
      if (wasHandedOver !== this.#isHandedOver) return;
      for (const channelId of this.#deps.engine.forgetIdle(keptMs)) {
        const admissions = this.#admissions.get(channelId) ?? 0;
        this.#admissions.delete(channelId);
        this.#deps.onReleased(channelId, admissions);
      }
      this.#scheduleSweep();
    });
  }
}
