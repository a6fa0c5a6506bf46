import type { ChannelId, ChannelSpec, IngestSlot, Latency } from "../thread-protocol/channel-spec.ts";
import type { Engine } from "./engine.ts";
import type { PublisherDescription, PublisherHandle } from "./publisher/publisher.ts";

/**
 * `fight`: two encoders push each other out, and this one is refused. `overloaded`: this server takes no new channel.
 * `unavailable`: no verdict now; the encoder should try again.
 */
export type AdmitResult = "admitted" | "fight" | "overloaded" | "unavailable";

export type PublisherArrival = PublisherDescription & {
  /** The gateway has room again. */
  readonly onRoom: () => void;
};

/** An admitted encoder's way into its channel, in whatever thread the channel is. */
export interface PublishGateway {
  readonly channelId: ChannelId;
  /** When media is sent: with the flush, or at once. May change on air. */
  readonly latency: Latency;
  /** As many bytes as allowed are under way to the channel: do not read the encoder before `onRoom`. */
  readonly isFull: boolean;
  /** Whether the encoder may publish now. Call once, before any reply to the encoder. */
  tryAdmit(): Promise<AdmitResult>;
  /** Begins to publish. Returns undefined where the channel was removed meanwhile. */
  open(arrival: PublisherArrival): PublisherHandle | undefined;
  /** Sends what was pushed now, without waiting for the next flush. Never throws. */
  flush(): void;
  /** No encoder will use this gateway. Idempotent; does nothing once it is open. */
  leave(): void;
}

/**
 * The gateway into a channel of this engine. `takesNew`: whether channels that are neither on air nor held may begin
 * now.
 */
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
      return engine.admits(channelId, slot) ? "admitted" : "fight";
    },
    open: (arrival) => engine.open(channelId, arrival),
    flush: () => engine.flush(channelId),
    leave: () => undefined,
  };
}
