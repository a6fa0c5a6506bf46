import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Block } from "./block-store.ts";

export type PacketKind = "audio" | "video" | "data";
export const PACKET_KINDS = ["audio", "video", "data"] as const;

/**
 * What is kept for each kind, of this one. Written out, for every frame: V8 does not cache what is looked up by a name that varies.
 */
export function ofKind<T>(each: Readonly<Record<PacketKind, T>>, kind: PacketKind): T {
  if (kind === "video") return each.video;
  return kind === "audio" ? each.audio : each.data;
}

/**
 * One audio, video or data message, classified once and cut into chunks once, as a delta (fmt 1) message. Deltas carry neither
 * a time base nor a message stream id, so the same bytes serve every target that got the packet before it on the same chunk
 * stream, whenever that target joined.
 */
export type Packet = {
  readonly kind: PacketKind;
  /** RTMP message type. */
  readonly type: number;
  /** A sequence header or metadata: never dropped. */
  readonly isConfig: boolean;
  /** A keyframe of the default track: a connection may begin with it. */
  readonly isKeyframe: boolean;
  /** Of a picture, 0 being the default; 0 for anything else. */
  readonly trackId: number;
  /** A keyframe of its track. */
  readonly startsTrack: boolean;
  /** Milliseconds on the channel's timeline, never below the packet before it, of whatever kind. */
  readonly timeMs: number;
  /** When it came, on the clock's `awakeNow()`. */
  readonly arrivalMs: number;
  /** Counts the packets of one kind: n is a delta to n − 1. */
  readonly ordinal: number;
  readonly payloadLength: number;
  /** The chunks are `block.bytes[start…end)`. Whoever holds the packet beyond the flush marks the block as kept. */
  readonly block: Block;
  readonly start: number;
  readonly end: number;
  /** The step from the packet before it of its kind, as the chunks say it. */
  readonly deltaMs: number;
};

/** What a packet is to whoever joins or loses. */
export type PacketMarks = Pick<Packet, "isConfig" | "isKeyframe" | "trackId" | "startsTrack">;

/** Of sequence headers and metadata. */
export const HEADER_MARKS: PacketMarks = { isConfig: true, isKeyframe: false, trackId: 0, startsTrack: false };

/** RTMP's message type of sound and of pictures. */
export function typeOf(kind: "audio" | "video"): number {
  return kind === "audio" ? MessageType.Audio : MessageType.Video;
}

export type PacketFields = Pick<Packet, "kind" | "type" | "timeMs" | "arrivalMs" | "ordinal"> & PacketMarks;
