import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "../thread-protocol/channel-spec.ts";
import type { Engine } from "./engine.ts";
import type { PublisherDescription, PublisherHandle } from "./publisher/publisher.ts";

/** `fight`: two encoders push each other out, this one is refused. `overloaded`: this server takes nobody new. `unavailable`: nobody can say now. */
export type AdmitResult = "welcome" | "fight" | "overloaded" | "unavailable";

export type PublisherArrival = PublisherDescription & {
  /** The way is no longer full. */
  readonly onRoom: () => void;
};

/** An admitted encoder's way into its channel, wherever that channel is. */
export interface PublishGateway {
  readonly channelId: ChannelId;
  /** When what it gives is to leave: may be changed on air. */
  readonly latency: Latency;
  /** As much as may be is on the way to the channel: nothing more is to be read from the encoder until `onRoom`. */
  readonly isFull: boolean;
  /** Whether the encoder may come now. To be asked once, before it is told anything. */
  tryAdmit(): Promise<AdmitResult>;
  /** It begins to publish. Undefined where the channel went in the meantime. */
  open(entering: PublisherArrival): PublisherHandle | undefined;
  /** What it gave leaves now, without waiting for the next flush. Never throws. */
  flush(): void;
  /** Nobody will come this way. Idempotent; does nothing once it is open. */
  leave(): void;
}

/** The way into a channel of this engine. `takesNew`: whether channels that are neither on air nor held may begin now. */
export function gatewayTo(
  engine: Pick<Engine, "introduce" | "admits" | "open" | "latency" | "flush" | "isOnAir">,
  spec: ChannelSpec,
  slot: IngestSlot,
  takesNew: () => boolean = () => true,
): PublishGateway {
  const { channelId } = spec;
  return {
    channelId,
    get latency() {
      return engine.latency(channelId);
    },
    isFull: false,
    async tryAdmit() {
      if (!takesNew() && !engine.isOnAir(channelId)) return "overloaded";
      engine.introduce(spec);
      return engine.admits(channelId, slot) ? "welcome" : "fight";
    },
    open: (entering) => engine.open(channelId, entering),
    flush: () => engine.flush(channelId),
    leave: () => undefined,
  };
}
