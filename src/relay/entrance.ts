import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "../exchange/channel-spec.ts";
import type { Engine } from "./engine.ts";
import type { Source, SourceDescription } from "./feed.ts";

/** `fight`: two encoders push each other out, this one is refused. `overloaded`: this server takes nobody new. `unavailable`: nobody can say now. */
export type Welcome = "welcome" | "fight" | "overloaded" | "unavailable";

export type Entering = SourceDescription & {
  /** The way is no longer full. */
  readonly onRoom: () => void;
};

/** An admitted encoder's way into its channel, wherever that channel is. */
export interface Entrance {
  readonly channelId: ChannelId;
  /** When what it gives is to leave: may be changed on air. */
  readonly latency: Latency;
  /** As much as may be is on the way to the channel: nothing more is to be read from the encoder until `onRoom`. */
  readonly isFull: boolean;
  /** Whether the encoder may come now. To be asked once, before it is told anything. */
  knock(): Promise<Welcome>;
  /** It begins to publish. Undefined where the channel went in the meantime. */
  open(entering: Entering): Source | undefined;
  /** What it gave leaves now, without waiting for the next flush. Never throws. */
  flush(): void;
  /** Nobody will come this way. Idempotent; does nothing once it is open. */
  leave(): void;
}

/** The way into a channel of this engine. `takesNew`: whether channels that are neither on air nor held may begin now. */
export function entranceTo(
  engine: Pick<Engine, "introduce" | "admits" | "open" | "latency" | "flush" | "isOnAir">,
  spec: ChannelSpec,
  slot: IngestSlot,
  takesNew: () => boolean = () => true,
): Entrance {
  const { channelId } = spec;
  return {
    channelId,
    get latency() {
      return engine.latency(channelId);
    },
    isFull: false,
    async knock() {
      if (!takesNew() && !engine.isOnAir(channelId)) return "overloaded";
      engine.introduce(spec);
      return engine.admits(channelId, slot) ? "welcome" : "fight";
    },
    open: (entering) => engine.open(channelId, entering),
    flush: () => engine.flush(channelId),
    leave: () => undefined,
  };
}
