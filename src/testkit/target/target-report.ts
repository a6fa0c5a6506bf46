import type { EnhancedPeer } from "../../protocol/rtmp/client/enhanced-connect.ts";
import type { MessageRecord } from "../message-record.ts";

/** The report of one connection to the target, updated while the connection lasts. */
export type ConnectionReport = {
  /** 0 for the target's first connection. */
  readonly index: number;
  /** The names of the received commands, in order. */
  readonly commands: string[];
  app: string;
  /** What the peer announced about Enhanced RTMP in `connect`. */
  peer: EnhancedPeer;
  /** The stream key of the latest publish. */
  streamName: string;
  stage: "handshake" | "connect" | "publish" | "publishing" | "unpublished";
  /** All bytes that were read from the connection. */
  bytesReceived: number;
  /** Audio and video payload. */
  mediaBytes: number;
  /** Every audio, video and data message, where the target keeps them. */
  readonly messages: MessageRecord[];
  /** Messages that were not kept: above the limit, or with a limit of none. */
  messagesDropped: number;
  /** The FLV files of its publications. */
  readonly recordings: string[];
  /**
   * `ended`: the peer closed; `reset`: the connection broke. What the target did itself comes from a fault or the end
   * of the target.
   */
  state: "open" | "ended" | "reset" | "protocol-error" | "closed-by-target" | "reset-by-target";
};

export type TargetEvent =
  | { readonly event: "connected"; readonly connection: number }
  | { readonly event: "command"; readonly connection: number; readonly name: string }
  | { readonly event: "publishing"; readonly connection: number }
  | { readonly event: "message"; readonly connection: number; readonly message: MessageRecord }
  | {
      readonly event: "fault";
      readonly connection: number;
      readonly fault: "refused" | "stalled" | "resumed" | "closed" | "reset" | "wrong-answer";
    }
  | { readonly event: "problem"; readonly connection: number; readonly detail: string }
  | { readonly event: "closed"; readonly connection: number; readonly report: ConnectionReport };
