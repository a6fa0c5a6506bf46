import type { ChannelId } from "./channel-spec.ts";

/** Control thread to media thread, about a preview. Numbers of watches are the control thread's. */
export type WatchRequest =
  | { readonly kind: "watch"; readonly watchId: number; readonly channelId: ChannelId }
  /** So many more bytes have left for the watcher: credit for as many to come. */
  | { readonly kind: "watch-taken"; readonly watchId: number; readonly bytes: number }
  | { readonly kind: "unwatch"; readonly watchId: number };

/** Media thread to control thread: FLV bytes, handed over without a copy, and the end. */
export type WatchAnswer =
  | { readonly kind: "watched"; readonly watchId: number; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "watch-ended"; readonly watchId: number };
