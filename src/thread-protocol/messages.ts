import type {
  AdmissionReply,
  AdmissionRequest,
  AttachReply,
  AttachRequest,
  LoginReply,
  LoginRequest,
  OwnerQuestionReply,
  OwnerQuestionRequest,
} from "./admission.ts";
import type { CertificatePair } from "./certificate.ts";
import type { ChannelId, ChannelSpec, IngestSlot, TargetId } from "./channel-spec.ts";
import type { Fact } from "./facts.ts";
import type { HoldChange } from "./hold-limits.ts";
import type { KeyframeReply, KeyframeRequest } from "./keyframe.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { PreflightReply, PreflightRequest } from "./preflight.ts";
import type { PlayReply, PlayRequest } from "./preview.ts";
import type { ChannelSample, SrtLinkSample } from "./samples.ts";
import type { SwitchMessage } from "./targets/target-switch.ts";
import type { TestPatternReply, TestPatternRequest } from "./test-pattern.ts";
import type { TraceSpan } from "./traces/traces.ts";

/**
 * How the process leaves targets when it stops: `cut` closes the connections, `end` also ends the broadcast on the
 * platforms.
 */
export type ShutdownMode = "cut" | "end";

/** What a media thread asks of the control thread. */
export type MediaRequest = AdmissionRequest | LoginRequest | PlayRequest | AttachRequest | OwnerQuestionRequest;
export type ControlReply = AdmissionReply | LoginReply | PlayReply | AttachReply | OwnerQuestionReply;

/** Accept links of another process of this machine at this Unix socket, whose folder only this user can open. */
type LinkRequest = { readonly kind: "accept-links"; readonly path: string };
type LinkReply = { readonly kind: "accept-links"; readonly problem?: string };

/** What the control thread asks of a media thread. */
export type ControlRequest = PreflightRequest | TestPatternRequest | KeyframeRequest | LinkRequest;
export type MediaReply = PreflightReply | TestPatternReply | KeyframeReply | LinkReply;

/** Control thread to media thread. Plain data; some messages carry one end of a transport, as noted. */
export type ToMedia =
  | { readonly kind: "channel"; readonly spec: ChannelSpec }
  | { readonly kind: "channel-removed"; readonly channelId: ChannelId }
  | { readonly kind: "request"; readonly requestId: number; readonly request: ControlRequest }
  /** With a transport where the reply says so. */
  | { readonly kind: "reply"; readonly requestId: number; readonly reply: ControlReply }
  /**
   * With a transport: an encoder whose connection is in another thread was admitted to a channel that this thread owns.
   */
  | { readonly kind: "host-publisher"; readonly spec: ChannelSpec; readonly slot: IngestSlot }
  /** With a transport: another thread has a viewer for a channel that this thread owns. */
  | { readonly kind: "host-preview"; readonly channelId: ChannelId }
  /** End the broadcast, or its hold, now: end the targets properly and dismiss the encoders. */
  | { readonly kind: "end"; readonly channelId: ChannelId }
  /** Extend the hold by a minute, or end it now. A broadcast whose encoder is back goes on. */
  | { readonly kind: "hold"; readonly channelId: ChannelId; readonly how: HoldChange }
  /** The channel's slate in the form of its present stream, as FLV; absent: none. */
  | { readonly kind: "slate"; readonly channelId: ChannelId; readonly flv?: ArrayBuffer }
  /** Show the slate in place of the encoder, or the encoder again. */
  | { readonly kind: "curtain"; readonly channelId: ChannelId; readonly isClosed: boolean }
  /** Dismiss the encoder of this key as if its connection were lost: the key changed. */
  | { readonly kind: "disconnect-publisher"; readonly channelId: ChannelId; readonly slot: IngestSlot }
  /** Dial a target at once that waits for its next attempt. */
  | { readonly kind: "retry-target"; readonly channelId: ChannelId; readonly targetId: TargetId }
  /** Drop what is delayed of a target, which goes on live at the next keyframe. */
  | { readonly kind: "cut-delay"; readonly channelId: ChannelId; readonly targetId: TargetId }
  | SwitchMessage
  /** End the channel's test pattern, and with it the broadcast; an encoder that has taken over stays. */
  | { readonly kind: "stop-test-pattern"; readonly channelId: ChannelId }
  /** The certificate for encoders from now on. Secret. */
  | { readonly kind: "certificate"; readonly pair: CertificatePair }
  /** The player that this request admitted may watch no longer: the owner of its token lost that right. */
  | { readonly kind: "revoke-play"; readonly requestId: number }
  /** With a transport: the link to the recording thread, which this thread asked for. */
  | { readonly kind: "recorder" }
  /** A port of this server. No target may lead back to it. */
  | { readonly kind: "own-port"; readonly port: number }
  /**
   * Another node owns this channel now: cut its links without a word, and forget it. Its encoders are dismissed; `isMoved`:
   * they stay connected, and their streams go on at the other node.
   */
  | { readonly kind: "fenced"; readonly channelId: ChannelId; readonly isMoved: boolean }
  /** Whether this node may soon give channels to others: their encoders' streams are kept from the next keyframe on. */
  | { readonly kind: "expect-moves"; readonly isExpected: boolean }
  /** Whether anything may be sent to targets. Follows each `woke`. */
  | { readonly kind: "sending"; readonly isAllowed: boolean }
  /**
   * Another process of this server accepts connections at the same ports from now on. Present ones stay. Channels off
   * air are released at once: they go on air there.
   */
  | { readonly kind: "stop-accepting" }
  /** The process stops: admit no more encoders, and ask those that support it to reconnect elsewhere. */
  | { readonly kind: "drain" }
  /** The process stops: leave targets and encoders. */
  | { readonly kind: "shutdown"; readonly mode: ShutdownMode };

/** Media thread to control thread. Plain data. */
export type ToControl =
  /** The thread has loaded its program and waits for its options. */
  | { readonly kind: "loaded" }
  | {
      readonly kind: "listening";
      readonly address: string;
      readonly port: number;
      readonly tlsPort?: number;
      readonly srtPort?: number;
    }
  | { readonly kind: "listen-failed"; readonly message: string }
  | { readonly kind: "request"; readonly requestId: number; readonly request: MediaRequest }
  | { readonly kind: "reply"; readonly requestId: number; readonly reply: MediaReply }
  /** The player that this request admitted has left, or the request timed out before its reply: its place is free. */
  | { readonly kind: "play-left"; readonly requestId: number }
  /**
   * `clockMark`: the thread's wall clock at that moment, as a mark of `SharedWallSteps`: the clock may be set while the fact is
   * under way. Absent from an older release.
   */
  | { readonly kind: "fact"; readonly fact: Fact; readonly clockMark?: number }
  /** A step of a trace is over. Only where traces are exported. */
  | { readonly kind: "span"; readonly span: TraceSpan }
  | { readonly kind: "samples"; readonly samples: readonly ChannelSample[] }
  /** The SRT connections of this thread's encoders, also where another thread owns their channels. */
  | { readonly kind: "srt-links"; readonly links: readonly SrtLinkSample[] }
  /**
   * How late this thread's event loop was since the last such message, and how many sockets use direct system calls.
   */
  | { readonly kind: "loop-delay"; readonly delay: LoopDelay; readonly directSockets: number }
  /**
   * The thread has forgotten a channel that was off air for a while: another thread may own it now. `admissions`: how
   * many encoders were admitted to it, as far as this thread knows.
   */
  | { readonly kind: "channel-released"; readonly channelId: ChannelId; readonly admissions: number }
  /** A channel is to be recorded, and this thread has no link to the recording thread. */
  | { readonly kind: "recorder-wanted" }
  /** Another node says that this node's ownership of a channel, with this epoch, is over. */
  | { readonly kind: "release-wanted"; readonly channelId: ChannelId; readonly epoch: number }
  /** The thread stood still, and sends nothing until `sending`: another node may own its channels by now. */
  | { readonly kind: "woke" }
  /** The node that owned this channel died, and an encoder of this thread publishes on without a new connection. */
  | { readonly kind: "failed-over"; readonly channelId: ChannelId }
  /** The thread stopped reading an encoder for a while: the thread that owns the channel is behind. */
  | { readonly kind: "remote-publisher-waits" }
  /** A warning from Node. */
  | { readonly kind: "warning"; readonly name: string; readonly detail: string }
  /** The encoders that were asked to reconnect elsewhere have left, or their time is over. */
  | { readonly kind: "drained" }
  | { readonly kind: "stopped" };
