import { expect } from "vitest";
import { ProtocolError, type ProtocolFault } from "../../../../src/protocol/protocol-error.ts";
import { ChunkReader } from "../../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { PayloadSlab } from "../../../../src/protocol/rtmp/chunk/payload-slab.ts";
import { LIMITS_PUBLISHING, type ReaderLimits } from "../../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { encodeControl } from "../../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../../src/protocol/rtmp/message.ts";
import { hex } from "../../../support/streams/hex.ts";
import { videoPayload } from "./chunk-vectors.ts";

/** What a reader made of a connection's bytes. */
export type Reading = { readonly messages: readonly Message[]; readonly fault: ProtocolFault | undefined };

/** Any chunk size, otherwise as for an encoder that publishes. */
export const LIMITS_LENIENT: ReaderLimits = { ...LIMITS_PUBLISHING, chunkSizeMin: 1 };

/** A slab in which some messages find room, and some do not. */
const SLAB_BYTES = 512;

/**
 * Reads the parts one after another with a fresh reader; throws every error but a ProtocolError. A reader with lent
 * payloads must give the same.
 */
export function readParts(parts: readonly Buffer[], limits = LIMITS_LENIENT, slabBytes = SLAB_BYTES): Reading {
  const reading = readWith(new ChunkReader(limits), parts, undefined);
  const slab = new PayloadSlab(slabBytes);
  const lending = new ChunkReader(limits);
  lending.lendPayloads(slab);
  expect(readWith(lending, parts, slab)).toEqual(reading);
  return reading;
}

function readWith(reader: ChunkReader, parts: readonly Buffer[], slab: PayloadSlab | undefined): Reading {
  const messages: Message[] = [];
  for (const part of parts) {
    const input = Buffer.from(part);
    const fresh: Message[] = [];
    const fault = faultOf(() => reader.receive(input, (message) => fresh.push(message)));
    // Lent payloads are valid up to here.
    messages.push(...(slab === undefined ? fresh : fresh.map(copied)));
    if (slab !== undefined) useUp(slab);
    // The reader must not depend on the caller's buffer afterwards.
    input.fill(0xee);
    if (fault !== undefined) return { messages, fault };
  }
  return { messages, fault: undefined };
}

function faultOf(run: () => void): ProtocolFault | undefined {
  try {
    run();
    return undefined;
  } catch (error) {
    if (error instanceof ProtocolError) return error.fault;
    throw error;
  }
}

const copied = (message: Message): Message => ({ ...message, payload: Buffer.from(message.payload) });

/** Another reader's turn: it writes anywhere. */
function useUp(slab: PayloadSlab): void {
  slab.startOver();
  for (let lent = slab.lend(SLAB_BYTES); lent !== undefined; lent = slab.lend(SLAB_BYTES)) lent.fill(0xee);
}

/** The bytes cut at these offsets, in any order, modulo their length. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const points = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

export const singly = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

/** What a reader makes of these bytes, the same in one piece and byte by byte. */
export function read(bytes: Buffer | string, limits?: ReaderLimits): Reading {
  const input = typeof bytes === "string" ? hex(bytes) : bytes;
  const whole = readParts([input], limits);
  expect(readParts(singly(input), limits)).toEqual(whole);
  return whole;
}

export const setChunkSize = (chunkSize: number): Buffer =>
  encodeMessage(2, encodeControl({ kind: "set-chunk-size", chunkSize }), 128);

/** 200 bytes of video on chunk stream 6. */
export const videoMessage = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: videoPayload }, 128);
