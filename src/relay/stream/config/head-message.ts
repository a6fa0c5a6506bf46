import type { PacketKind } from "../packet.ts";

/** The messages a target gets before its first media: metadata, then sequence headers. */
export type HeadMessage = { readonly kind: PacketKind; readonly type: number; readonly payload: Buffer };
