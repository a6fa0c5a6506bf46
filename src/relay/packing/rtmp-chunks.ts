import {
  type ChunkHeader,
  chunkHeaderLength,
  continuationHeaderLength,
} from "../../protocol/rtmp/chunk/chunk-header.ts";
import { cutLength, cutMessage, gatherPayload } from "../../protocol/rtmp/chunk/chunk-writer.ts";
import { ofKind, type Packet, type PacketFields, type PacketKind } from "../stream/packet.ts";
import type { ChunkArena } from "./chunk-arena.ts";
import { MEDIA_CHUNK_SIZE } from "./media-chunk-size.ts";

/** The chunk streams of media; any distinct ones below 32 would work (nginx-rtmp knows no others). */
const MEDIA_CSID: Readonly<Record<PacketKind, number>> = { audio: 4, data: 5, video: 6 };

/** Cuts a packet's chunks into the arena; `deltaMs` is the time since the packet before it of the same kind. */
export function cutPacket(arena: ChunkArena, fields: PacketFields, deltaMs: number, payload: Buffer): Packet {
  const { kind, type, isConfig, isKeyframe, trackId, startsTrack, timeMs, arrivalMs, ordinal } = fields;
  const header = deltaHeader(kind, type, deltaMs, payload.length);
  const start = arena.allocate(cutLength(header, MEDIA_CHUNK_SIZE));
  const { block } = arena;
  const end = cutMessage(block.bytes, start, header, payload, MEDIA_CHUNK_SIZE);
  // Written out: this runs for every frame, and copying with `...` costs more than everything else.
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

/** Returns the same packet in memory of its own, so that it does not keep a whole block of other packets alive. */
export function withOwnMemory(packet: Packet): Packet {
  const { block, start, end } = packet;
  if (block.bytes.length === end - start) return packet;
  return {
    ...packet,
    block: { bytes: Buffer.from(block.bytes.subarray(start, end)), holders: 0, isKept: true },
    start: 0,
    end: end - start,
  };
}

/** The header of a message for a target that did not get the packet before it. */
export type OwnHeader =
  | { readonly fmt: 0; readonly timestampMs: number; readonly streamId: number }
  | { readonly fmt: 1; readonly deltaMs: number };

/** Returns a copy of the packet's bytes with a header for one target: only for joins and losses. */
export function recutPacket(packet: Packet, own: OwnHeader): Buffer {
  return cutOwn(packet.kind, packet.type, payloadOf(packet), own);
}

/** Returns a copy of the message's payload, gathered from its chunks. */
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

/** Cuts one message for one target only. */
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
