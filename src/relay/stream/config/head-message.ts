import type { PacketKind } from "../packet.ts";

/** One of the messages that a subscriber gets before its first media: metadata, then sequence headers. */
export type HeadMessage = { readonly kind: PacketKind; readonly type: number; readonly payload: Buffer };
