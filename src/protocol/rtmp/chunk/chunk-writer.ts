import type { Message } from "../message.ts";
import {
  type ChunkHeader,
  chunkHeaderLength,
  continuationHeaderLength,
  writeChunkHeader,
  writeContinuationHeader,
} from "./chunk-header.ts";

/** Length of a message of `header.length` payload bytes once it is cut into chunks. */
export function cutLength(header: ChunkHeader, chunkSize: number): number {
  const continuations = Math.max(0, Math.ceil(header.length / chunkSize) - 1);
  return chunkHeaderLength(header) + header.length + continuations * continuationHeaderLength(header);
}

/**
 * Cuts a message into chunks at `into[offset…]`, which must have room for `cutLength`, and returns the offset after it.
 *
 * @throws RangeError where the payload's length is not the one in the header.
 */
export function cutMessage(
  into: Buffer,
  offset: number,
  header: ChunkHeader,
  payload: Buffer,
  chunkSize: number,
): number {
  if (payload.length !== header.length) throw new RangeError("the header has another length than the payload");
  let at = writeChunkHeader(into, offset, header);
  let taken = Math.min(chunkSize, payload.length);
  at += payload.copy(into, at, 0, taken);
  while (taken < payload.length) {
    at = writeContinuationHeader(into, at, header);
    const next = Math.min(taken + chunkSize, payload.length);
    at += payload.copy(into, at, taken, next);
    taken = next;
  }
  return at;
}

/** One whole message that depends on no message before it (fmt 0). */
export function encodeMessage(csid: number, message: Message, chunkSize: number): Buffer {
  const { type, streamId, payload } = message;
  const header: ChunkHeader = { fmt: 0, csid, time: message.timestamp, length: payload.length, type, streamId };
  const bytes = Buffer.allocUnsafe(cutLength(header, chunkSize));
  cutMessage(bytes, 0, header, payload, chunkSize);
  return bytes;
}

/**
 * Puts the payload of a message cut by `cutMessage` together again. Copies. `headerLength` is its first header's,
 * `continuationLength` that of the headers of its further chunks.
 *
 * @throws RangeError where the chunks are shorter than the payload.
 */
export function gatherPayload(
  chunks: Buffer,
  headerLength: number,
  payloadLength: number,
  chunkSize: number,
  continuationLength: number,
): Buffer {
  const payload = Buffer.allocUnsafe(payloadLength);
  let at = headerLength;
  let gathered = 0;
  while (gathered < payloadLength) {
    const length = Math.min(chunkSize, payloadLength - gathered);
    if (at + length > chunks.length) throw new RangeError("the chunks are shorter than the payload");
    chunks.copy(payload, gathered, at, at + length);
    gathered += length;
    at += length + continuationLength;
  }
  return payload;
}
