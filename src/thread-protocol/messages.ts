import type { MessagePort } from "node:worker_threads";
import type { AdmissionAnswer, AdmissionRequest, LoginAnswer, LoginQuestion } from "./admission.ts";
import type { CertificatePair } from "./certificate.ts";
import type { ChannelId, ChannelSpec, IngestSlot, TargetId } from "./channel-spec.ts";
import type { Fact } from "./facts.ts";
import type { HoldChange } from "./hold-limits.ts";
import type { LoopDelay } from "./loop-delay.ts";
import type { PreflightRequest, PreflightResult } from "./preflight.ts";
import type { PreviewAnswer, PreviewQuestion, PreviewReply, PreviewRequest } from "./preview.ts";
import type { ChannelSample } from "./samples.ts";

/** How links and encoders are left when the process stops: `cut` closes only, `end` tells the platforms it is over. */
export type ShutdownMode = "cut" | "end";

/** Control thread to media thread. Plain data. */
export type ToMedia =
  | { readonly kind: "channel"; readonly spec: ChannelSpec }
  | { readonly kind: "channel-removed"; readonly channelId: ChannelId }
  | { readonly kind: "admission"; readonly answer: AdmissionAnswer }
  | { readonly kind: "login"; readonly answer: LoginAnswer }
  /** An encoder that another thread accepted was admitted to a channel that is at home here; it comes this way. */
  | {
      readonly kind: "host-encoder";
      readonly spec: ChannelSpec;
      readonly slot: IngestSlot;
      readonly port: MessagePort;
    }
  /** The same of a player. */
  | { readonly kind: "host-player"; readonly channelId: ChannelId; readonly port: MessagePort }
  /** The broadcast, or its hold, is over now: targets are ended properly and the encoder is sent away. */
  | { readonly kind: "end"; readonly channelId: ChannelId }
  /** The hold lasts a minute longer, or is over now; a broadcast whose encoder is back goes on. */
  | { readonly kind: "hold"; readonly channelId: ChannelId; readonly how: HoldChange }
  /** The encoder is sent away as if its connection were lost: its key changed. */
  | { readonly kind: "cut-source"; readonly channelId: ChannelId; readonly slot: IngestSlot }
  /** A target that waits for its next attempt is dialled at once. */
  | { readonly kind: "retry-target"; readonly channelId: ChannelId; readonly targetId: TargetId }
  | { readonly kind: "preflight"; readonly request: PreflightRequest }
  /** What encoders are shown from now on. Secret. */
  | { readonly kind: "certificate"; readonly pair: CertificatePair }
  | PreviewRequest
  | { readonly kind: "preview"; readonly answer: PreviewAnswer }
  /** The player that was seated for this question may watch no more: who asked for its token was shut out. */
  | { readonly kind: "unseat-player"; readonly requestId: number }
  /** Another port of ours that no target may lead back to. */
  | { readonly kind: "own-port"; readonly port: number }
  /** The process stops: nobody is let in any more, and encoders that can are asked to connect elsewhere. */
  | { readonly kind: "drain" }
  /** The process stops: targets and encoders are left. */
  | { readonly kind: "shutdown"; readonly mode: ShutdownMode };

/** Media thread to control thread. Plain data. */
export type ToControl =
  | { readonly kind: "listening"; readonly address: string; readonly port: number; readonly tlsPort?: number }
  | { readonly kind: "listen-failed"; readonly message: string }
  | { readonly kind: "admission"; readonly request: AdmissionRequest }
  | { readonly kind: "login"; readonly question: LoginQuestion }
  | { readonly kind: "fact"; readonly fact: Fact }
  | { readonly kind: "samples"; readonly samples: readonly ChannelSample[] }
  /** How late the media thread's event loop was since it told so last. */
  | { readonly kind: "loop-delay"; readonly delay: LoopDelay }
  /** A channel is at home here no more: it was off air for long. `grants`: encoders admitted to it, as far as was heard here. */
  | { readonly kind: "channel-left"; readonly channelId: ChannelId; readonly grants: number }
  /** An encoder is not read for a while: its channel's home, another thread, is behind. */
  | { readonly kind: "hand-over-waits" }
  | { readonly kind: "preflight"; readonly requestId: number; readonly result: PreflightResult }
  | PreviewReply
  | PreviewQuestion
  /** What Node itself warns of. */
  | { readonly kind: "warning"; readonly name: string; readonly detail: string }
  /** The encoders that were asked to connect elsewhere have done so, or had their time. */
  | { readonly kind: "drained" }
  | { readonly kind: "stopped" };
