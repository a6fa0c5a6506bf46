import type { ChannelSpec, IngestSlot } from "./channel-spec.ts";

/** May this key publish? Asked by the media thread before the encoder hears anything. Holds a secret. */
export type AdmissionRequest = { readonly requestId: number; readonly key: string };

/** `admit` brings the channel's spec along, so that the channel is known before its first packet. */
export type AdmissionAnswer =
  | { readonly requestId: number; readonly decision: "admit"; readonly spec: ChannelSpec; readonly slot: IngestSlot }
  | { readonly requestId: number; readonly decision: "refuse" };
