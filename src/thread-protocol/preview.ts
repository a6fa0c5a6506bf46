import type { MessagePort } from "node:worker_threads";
import type { ChannelId } from "./channel-spec.ts";

/** Control thread to media thread, about a preview. Numbers of watches are the control thread's. */
export type PreviewRequest =
  | { readonly kind: "watch"; readonly watchId: number; readonly channelId: ChannelId }
  /** So many more bytes have left for the watcher: credit for as many to come. */
  | { readonly kind: "watch-taken"; readonly watchId: number; readonly bytes: number }
  | { readonly kind: "unwatch"; readonly watchId: number };

/** Media thread to control thread: FLV bytes, handed over without a copy, and the end. */
export type PreviewReply =
  | { readonly kind: "watched"; readonly watchId: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "watch-ended"; readonly watchId: number };

/** Media thread to control thread: a player came over RTMP. The token is secret. */
export type PreviewQuestion =
  | { readonly kind: "preview"; readonly requestId: number; readonly channelId: string; readonly token: string }
  /** It left, or nobody waited for the answer any more: its place is free. */
  | { readonly kind: "preview-left"; readonly requestId: number };

/**
 * Control thread to media thread. An admitted player has a place until `preview-left`. `port`: the channel is at home in another
 * thread, at the other end of this way.
 */
export type PreviewAnswer = { readonly requestId: number } & (
  | { readonly decision: "admit"; readonly channelId: ChannelId; readonly port?: MessagePort }
  | { readonly decision: "refuse" | "full" }
);
