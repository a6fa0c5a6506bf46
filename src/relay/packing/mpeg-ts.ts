import { TsMuxer } from "../../protocol/mpegts/mux/ts-muxer.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { WireForm } from "./wire-form.ts";

const NOTHING: Buffer = Buffer.alloc(0);

/**
 * A transport stream, for SRT targets: whole packets of 188 bytes for each frame, none for headers and data. All
 * targets share one count of packets, so a subscriber takes each packet with the call that offers it, never again
 * later, and begins at a keyframe that comes, not with one of the cache.
 */
export const MPEG_TS: WireForm = {
  name: "mpeg-ts",
  newPacker: () => {
    const muxer = new TsMuxer();
    return ({ kind, type, payload, timeMs }) =>
      kind === "data" || type === MessageType.DataAmf0 ? NOTHING : muxer.write({ kind, payload, timeMs });
  },
};
