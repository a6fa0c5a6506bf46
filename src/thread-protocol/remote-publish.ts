import type { Removal } from "../base/pasted-text.ts";
import type { Latency, SourceKind } from "./channel-spec.ts";
import type { IngestEnd } from "./facts.ts";

/**
 * An encoder whose connection is in another thread than its channel: the messages of the two threads, over one
 * transport for each connection. A thread that closes its end, or dies, drops the encoder.
 */

/** From the thread that has the connection. */
export type FromEncoder =
  | {
      readonly kind: "open";
      readonly remoteAddress: string;
      readonly encoder: string;
      readonly keyRemoved: readonly Removal[];
      /** Absent: an encoder. */
      readonly sourceKind?: SourceKind;
      /** Another server sent its stream to the targets until now. */
      readonly isGoingOn?: boolean;
    }
  /** Messages in the first `length` bytes of a block (`remote-publish/media-block`), transferred. `isFlush`: send them to the targets now. */
  | { readonly kind: "media"; readonly buffer: ArrayBuffer; readonly length: number; readonly isFlush: boolean }
  /** Reply to `read-wanted`: everything that the encoder had sent by then was read and posted before this message. */
  | { readonly kind: "read" }
  | { readonly kind: "end"; readonly end: IngestEnd };

/** From the thread that owns the channel. */
export type ToEncoder =
  /** The first message: whether the encoder may publish. */
  | { readonly kind: "admit-result"; readonly isAdmitted: boolean }
  /** The relay has taken this many bytes of a block: credit for as many again. The block is transferred back. */
  | { readonly kind: "taken"; readonly bytes: number; readonly buffer: ArrayBuffer }
  | { readonly kind: "latency"; readonly latency: Latency }
  | { readonly kind: "read-wanted" }
  /** The relay dropped the encoder. Without this message before the end, the thread or its process died. */
  | { readonly kind: "dismissed" };
