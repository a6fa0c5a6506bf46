import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Block } from "./block-store.ts";

export type PacketKind = "audio" | "video" | "data";
export const PACKET_KINDS = ["audio", "video", "data"] as const;

/**
 * Returns the entry of this kind. Written out since it runs for every frame: V8 does not cache a lookup by a name that
 * varies.
 */
export function ofKind<T>(each: Readonly<Record<PacketKind, T>>, kind: PacketKind): T {
  if (kind === "video") return each.video;
  return kind === "audio" ? each.audio : each.data;
}

/**
 * One audio, video or data message, classified once and stored once: as RTMP chunks of a delta (fmt 1) message. Deltas
 * have neither a time base nor a message stream id, so the same bytes serve every target that got the packet before it
 * on the same chunk stream, whenever that target joined.
 */
export type Packet = {
  readonly kind: PacketKind;
  /** RTMP message type. */
  readonly type: number;
  /** A sequence header or metadata: never dropped. */
  readonly isConfig: boolean;
  /** A keyframe of the default track: a connection may begin with it. */
  readonly isKeyframe: boolean;
  /** The video track, 0 being the default one; 0 for audio and data. */
  readonly trackId: number;
  /** A keyframe of its track. */
  readonly startsTrack: boolean;
  /** Milliseconds of channel time, never below the packet before it, of either kind. */
  readonly timeMs: number;
  /** When it arrived, in milliseconds of the clock's `awakeNow()`. */
  readonly arrivalMs: number;
  /** Counts the packets of one kind: packet n is a delta to n − 1. */
  readonly ordinal: number;
  readonly payloadLength: number;
  /** The chunks are `block.bytes[start…end)`. Code that needs the packet beyond the flush holds the block, or marks it as kept. */
  readonly block: Block;
  readonly start: number;
  readonly end: number;
  /** Milliseconds since the packet before it of its kind, as in the chunks. */
  readonly deltaMs: number;
};

/** Flags used when a subscriber joins or loses frames. */
export type PacketMarks = Pick<Packet, "isConfig" | "isKeyframe" | "trackId" | "startsTrack">;

/** The flags of sequence headers and metadata. */
export const HEADER_MARKS: PacketMarks = { isConfig: true, isKeyframe: false, trackId: 0, startsTrack: false };

/** Returns RTMP's message type of audio or video. */
export function typeOf(kind: "audio" | "video"): number {
  return kind === "audio" ? MessageType.Audio : MessageType.Video;
}

export type PacketFields = Pick<Packet, "kind" | "type" | "timeMs" | "arrivalMs" | "ordinal"> & PacketMarks;
