import {
  type ChunkHeader,
  chunkHeaderLength,
  continuationHeaderLength,
} from "../../protocol/rtmp/chunk/chunk-header.ts";
import { cutLength, cutMessage, gatherPayload } from "../../protocol/rtmp/chunk/chunk-writer.ts";
import { MessageType } from "../../protocol/rtmp/message.ts";
import type { Block } from "./block-store.ts";
import type { ChunkArena } from "./chunk-arena.ts";
import { MEDIA_CHUNK_SIZE } from "./media-chunk-size.ts";

export type PacketKind = "audio" | "video" | "data";
export const PACKET_KINDS = ["audio", "video", "data"] as const;

/**
 * What is kept for each kind, of this one. Written out, for every frame: V8 does not cache what is looked up by a name that varies.
 */
export function ofKind<T>(each: Readonly<Record<PacketKind, T>>, kind: PacketKind): T {
  if (kind === "video") return each.video;
  return kind === "audio" ? each.audio : each.data;
}

/** The chunk streams media leaves on; any distinct ones below 32 would do (nginx-rtmp knows no others). */
const MEDIA_CSID: Readonly<Record<PacketKind, number>> = { audio: 4, data: 5, video: 6 };

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

/** Cuts a packet's chunks into the arena; `deltaMs` is the step from the packet before it of the same kind. */
export function cutPacket(arena: ChunkArena, fields: PacketFields, deltaMs: number, payload: Buffer): Packet {
  const { kind, type, isConfig, isKeyframe, trackId, startsTrack, timeMs, arrivalMs, ordinal } = fields;
  const header = deltaHeader(kind, type, deltaMs, payload.length);
  const start = arena.allocate(cutLength(header, MEDIA_CHUNK_SIZE));
  const { block } = arena;
  const end = cutMessage(block.bytes, start, header, payload, MEDIA_CHUNK_SIZE);
  // Written out: this is done for every frame, and copying with `...` costs more than all of the rest.
  return {
    kind,
    type,
    isConfig,
    isKeyframe,
    trackId,
    startsTrack,
    timeMs,
    arrivalMs,
    ordinal,
    payloadLength: payload.length,
    block,
    start,
    end,
    deltaMs,
  };
}

function deltaHeader(kind: PacketKind, type: number, deltaMs: number, length: number): ChunkHeader {
  return { fmt: 1, csid: ofKind(MEDIA_CSID, kind), time: deltaMs, length, type, streamId: 0 };
}

/** The same packet with memory of its own: what it lies among may be large, and is then not kept for its sake. */
export function withOwnMemory(packet: Packet): Packet {
  const { block, start, end } = packet;
  if (block.bytes.length === end - start) return packet;
  return {
    ...packet,
    block: { bytes: Buffer.from(block.bytes.subarray(start, end)), isKept: true },
    start: 0,
    end: end - start,
  };
}

/** How a target has to be told of a message whose shared bytes do not fit what it got before. */
export type OwnHeader =
  | { readonly fmt: 0; readonly timestampMs: number; readonly streamId: number }
  | { readonly fmt: 1; readonly deltaMs: number };

/** The packet's bytes behind a header of the target's own. Copies: for joins, drops and resumes only. */
export function recutPacket(packet: Packet, own: OwnHeader): Buffer {
  return cutOwn(packet.kind, packet.type, payloadOf(packet), own);
}

/** The message's payload, gathered out of its chunks. Copies. */
export function payloadOf({ kind, type, deltaMs, payloadLength, block, start, end }: Packet): Buffer {
  const header = deltaHeader(kind, type, deltaMs, payloadLength);
  return gatherPayload(
    block.bytes.subarray(start, end),
    chunkHeaderLength(header),
    payloadLength,
    MEDIA_CHUNK_SIZE,
    continuationHeaderLength(header),
  );
}

/** Cuts one message for one target alone. */
export function cutOwn(kind: PacketKind, type: number, payload: Buffer, own: OwnHeader): Buffer {
  const header: ChunkHeader =
    own.fmt === 1
      ? deltaHeader(kind, type, own.deltaMs, payload.length)
      : {
          fmt: 0,
          csid: ofKind(MEDIA_CSID, kind),
          time: own.timestampMs,
          length: payload.length,
          type,
          streamId: own.streamId,
        };
  const bytes = Buffer.allocUnsafe(cutLength(header, MEDIA_CHUNK_SIZE));
  cutMessage(bytes, 0, header, payload, MEDIA_CHUNK_SIZE);
  return bytes;
}
