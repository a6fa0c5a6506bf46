import type { Removal } from "../base/pasted-text.ts";
import type { Latency } from "./channel-spec.ts";
import type { IngestEnd } from "./facts.ts";

/**
 * An encoder or a player whose connection one thread accepted while its channel is at home in another: what the two threads say
 * to each other, over a way of its own for each connection. Whoever closes the way is done with it; so is whose thread dies.
 */

/** From where the encoder is connected, to its channel's home. */
export type FromEncoder =
  | {
      readonly kind: "open";
      readonly remoteAddress: string;
      readonly encoder: string;
      readonly keyRemoved: readonly Removal[];
    }
  /** Messages in a row, given away: the first `length` bytes of a block (`remote-publish/media-block`). `isFlush`: they leave now. */
  | { readonly kind: "media"; readonly buffer: ArrayBuffer; readonly length: number; readonly isFlush: boolean }
  /** What the encoder had said when this was wanted was read, and came before this. */
  | { readonly kind: "read" }
  | { readonly kind: "end"; readonly end: IngestEnd };

/** From the channel's home. */
export type ToEncoder =
  /** First of all: whether the encoder may come. */
  | { readonly kind: "welcome"; readonly isWelcome: boolean }
  /** So many bytes of a block were taken: room for as many to come. The block is given back. */
  | { readonly kind: "taken"; readonly bytes: number; readonly buffer: ArrayBuffer }
  | { readonly kind: "latency"; readonly latency: Latency }
  | { readonly kind: "read-wanted" };

export type FromPlayer =
  | { readonly kind: "show"; readonly streamId: number }
  | { readonly kind: "taken"; readonly bytes: number }
  | { readonly kind: "pause"; readonly isPaused: boolean };

export type ToPlayer =
  /** First of all; where the channel is not on air the way is closed instead. */
  { readonly kind: "showing" } | { readonly kind: "shown"; readonly bytes: Uint8Array<ArrayBuffer> };
