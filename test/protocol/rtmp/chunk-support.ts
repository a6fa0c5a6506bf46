import { expect } from "vitest";
import { ChunkReader, LIMITS_PUBLISHING, type ReaderLimits } from "../../../src/protocol/rtmp/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk-writer.ts";
import { encodeControl } from "../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import { ProtocolError, type ProtocolFault } from "../../../src/protocol/rtmp/protocol-error.ts";
import { hex, videoPayload } from "./chunk-vectors.ts";

/** What a reader made of a connection's bytes. */
export type Reading = { readonly messages: readonly Message[]; readonly fault: ProtocolFault | undefined };

/** Any chunk size, otherwise as for an encoder that publishes. */
export const LIMITS_LENIENT: ReaderLimits = { ...LIMITS_PUBLISHING, chunkSizeMin: 1 };

/** Reads the parts one after another with a fresh reader; anything but a ProtocolError is thrown on. */
export function readParts(parts: readonly Buffer[], limits: ReaderLimits = LIMITS_LENIENT): Reading {
  const reader = new ChunkReader(limits);
  const messages: Message[] = [];
  for (const part of parts) {
    // What the caller does with its buffer afterwards must not matter.
    const input = Buffer.from(part);
    try {
      reader.receive(input, (message) => messages.push(message));
    } catch (error) {
      if (error instanceof ProtocolError) return { messages, fault: error.fault };
      throw error;
    } finally {
      input.fill(0xee);
    }
  }
  return { messages, fault: undefined };
}

/** The bytes cut at these offsets, in any order, modulo their length. */
export function cutAt(bytes: Buffer, offsets: readonly number[]): Buffer[] {
  const points = [0, ...offsets.map((offset) => offset % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return points.slice(1).map((end, index) => bytes.subarray(points[index], end));
}

export const singly = (bytes: Buffer): Buffer[] => Array.from(bytes, (byte) => Buffer.from([byte]));

/** What a reader makes of these bytes, in whole and byte by byte alike. */
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
