import type { OwnerLink } from "./admission.ts";
import type { ChannelId } from "./channel-spec.ts";

/** What a preview is sent as: an FLV file, or RTMP messages of one message stream. */
export type PreviewFormat = { readonly kind: "flv" } | { readonly kind: "rtmp"; readonly streamId: number };

/**
 * A preview whose viewer is in another thread than the channel. Both ends of the transport talk about this one preview: a
 * thread that closes its end, or dies, ends the preview.
 */

/** From the viewer's thread. */
export type FromViewer =
  | { readonly kind: "start"; readonly format: PreviewFormat }
  /** This many more bytes have been sent to the viewer: credit for as many again. */
  | { readonly kind: "taken"; readonly bytes: number }
  | { readonly kind: "pause"; readonly isPaused: boolean };

/** From the channel's thread. */
export type ToViewer =
  /** The first message. Where the channel is not on air, the thread closes the transport instead. */
  | { readonly kind: "started" }
  /** The next bytes of the stream, transferred without a copy. */
  | { readonly kind: "bytes"; readonly bytes: Uint8Array<ArrayBuffer> };

/** Media thread to control thread: may an RTMP player with this token watch the channel? The token is secret. */
export type PlayRequest = { readonly kind: "play"; readonly channelId: string; readonly token: string };

/**
 * `admit`: the player has a place until `play-left`. Where another thread owns the channel, a transport to that thread
 * comes with the reply, or `link` says where to dial it.
 */
export type PlayReply =
  | {
      readonly kind: "play";
      readonly decision: "admit";
      readonly channelId: ChannelId;
      readonly link?: OwnerLink;
    }
  | { readonly kind: "play"; readonly decision: "refuse" | "full" };
