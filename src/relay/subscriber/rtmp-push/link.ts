import type { ChannelId, TargetSpec } from "../../../thread-protocol/channel-spec.ts";
import type { TargetError } from "../../../thread-protocol/targets/target-status.ts";
import type { WireForm } from "../../packing/wire-form.ts";
import type { LinkClose } from "../subscriber.ts";

/**
 * One live connection to a target, as the relay sees it. The relay cuts the chunks itself, so that targets can share
 * them; the link only transmits bytes and carries out the command dialogue around them.
 */
export interface Link {
  /** The form of what `write` takes; absent: RTMP chunks. */
  readonly form?: WireForm;
  /**
   * Writes bytes to the socket. Call only between `onPublishing` and `onClosed`. The bytes must not change while
   * `isHolding`.
   */
  write(bytes: Buffer): void;
  /** Whether bytes given to `write` are still needed in their memory. */
  readonly isHolding: boolean;
  /** Bytes given to `write` that the kernel has not taken yet. 0 means that the next write may be sent at once. */
  readonly pendingBytes: number;
  /**
   * Whether the kernel had no room for some of what is pending. False while bytes are pending only because TLS reports
   * each write in a later turn of the event loop.
   */
  readonly isBehind: boolean;
  /** Bytes of `write` that the kernel has taken, in total. */
  readonly takenBytes: number;
  /** The target's acknowledgements in RTMP; absent before the first. */
  readonly acks: PeerAcks | undefined;
  /** The last reading of the kernel's queue; absent where it cannot be read, and before the first reading. */
  readonly kernelQueue: KernelQueue | undefined;
  /**
   * This many bytes may be written before the kernel holds too much of the stream. Infinite where its queue cannot be
   * read.
   */
  readonly creditBytes: number;
  /**
   * `streamPerSecond`, the stream's rate, decides how often the target should acknowledge; `kernelPerSecond` decides
   * how much the kernel may hold.
   */
  suit(streamPerSecond: number, kernelPerSecond: number): void;
  /**
   * Finds out whether the target's address can be reached, by a connection of its own that sends nothing. Calls `onAnswer`
   * once, soon.
   */
  probe(onAnswer: (answer: PathAnswer) => void): void;
  /**
   * Ends the link; `onClosed` is not called afterwards. What is pending is still sent, for a bounded time, except with
   * `abort`. Idempotent.
   */
  close(how: LinkClose): void;
}

export type PeerAcks = {
  readonly count: number;
  /** Bytes acknowledged in total. */
  readonly bytes: number;
  /** The target was asked to acknowledge once in this many bytes. */
  readonly windowBytes: number;
};

/** What the kernel holds of a link, and what the peer's TCP has acknowledged, in total. Bytes as on the wire. */
export type KernelQueue = {
  readonly queuedBytes: number;
  readonly ackedBytes: number;
  /** The peer takes nothing at present and its TCP says so: the path is good, its program does not read. */
  readonly isWindowShut: boolean;
  /** Sent bytes were not acknowledged in time: the kernel sends them again. */
  readonly isResending: boolean;
};

/**
 * `same`: the address of this link accepts or refuses. `other`: only another address that the target's name has by now
 * does.
 */
export type PathAnswer = "same" | "other" | "none";

/** What a link reports to the relay. */
export interface LinkEvents {
  /**
   * The target accepted publish; media may be written with this message stream id. `takesHevcEnhanced`: it announced
   * HEVC; `takesEnhanced`: it announced H.264 and AAC, which have a legacy form too.
   */
  onPublishing(streamId: number, takesHevcEnhanced?: boolean, takesEnhanced?: boolean): void;
  /** The target asks us to connect again, at `url` if it names one; that address was checked. */
  onReconnectWanted?(url: string | undefined): void;
  /** The kernel took everything that was pending, or may be given more. */
  onDrained(): void;
  /** The attempt failed or the connection ended, on either side. Called once, and last. */
  onClosed(error: TargetError): void;
}

/** Dials targets: name, address check, TCP, TLS, handshake and publish, each with a deadline. */
export interface Dialer {
  /** `channelId`: the channel that dials, for traces. */
  dial(target: TargetSpec, events: LinkEvents, channelId?: ChannelId): Link;
}
