import type { ChannelId } from "./channel-spec.ts";

/**
 * Control thread to media thread: the last keyframe of a channel that this thread owns. `knownTime`: the client already
 * has the keyframe of this time.
 */
export type KeyframeRequest = {
  readonly kind: "keyframe";
  readonly channelId: ChannelId;
  readonly knownTime?: number;
};

export type Keyframe =
  | {
      readonly found: "keyframe";
      /** When it arrived, milliseconds since the Unix epoch. */
      readonly time: number;
      /** An FLV file: the sequence header of the default video track, and the keyframe at time 0. A buffer of its own. */
      readonly bytes: Uint8Array<ArrayBuffer>;
    }
  /** `unchanged`: it is the one of `knownTime`. `too-large`: it exceeds the limit in bytes. `none`: there is none. */
  | { readonly found: "unchanged" | "too-large" | "none" };

export type KeyframeReply = { readonly kind: "keyframe"; readonly keyframe: Keyframe };
