import fc from "fast-check";
import { expect, test, vi } from "vitest";
import {
  type ChunkFormat,
  type ChunkHeader,
  chunkHeaderLength,
  continuationHeaderLength,
} from "../../../../src/protocol/rtmp/chunk/chunk-header.ts";
import { cutLength, cutMessage, encodeMessage } from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import {
  LIMITS_BEFORE_PUBLISH,
  LIMITS_PUBLISHING,
  type ReaderLimits,
} from "../../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { encodeControl } from "../../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../../src/protocol/rtmp/message.ts";
import { cutAt, LIMITS_LENIENT, readParts } from "./chunk-support.ts";

/** More for a long run: FUZZ_RUNS=1000000 goes through a million hostile streams. */
const FUZZ_RUNS = Number(process.env["FUZZ_RUNS"] ?? 1_500);

const csids = fc.oneof(fc.integer({ min: 2, max: 8 }), fc.constantFrom(63, 64, 319, 320, 65_599));
const chunkSizes = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(128, 4_096, 0xff_ff_ff, 0x7f_ff_ff_ff));
const times = fc.oneof(
  fc.integer({ min: 0, max: 100 }),
  fc.integer({ min: 0xff_ff_f0, max: 0x1_00_00_10 }),
  fc.integer({ min: 0, max: 0xff_ff_ff_ff }),
);
const payloads = fc.uint8Array({ maxLength: 700, size: "max" }).map((bytes) => Buffer.from(bytes));
/** Every type but those the reader obeys itself. */
const types = fc.integer({ min: 3, max: 255 });
const cuts = fc.array(fc.nat(), { maxLength: 6 });

const whole = fc.record({ csid: csids, type: types, timestamp: times, streamId: fc.nat(), payload: payloads });

const announced = (chunkSize: number): Buffer =>
  encodeMessage(2, encodeControl({ kind: "set-chunk-size", chunkSize }), 128);

test("any message on any chunk stream in any chunk size is read as it was written, wherever the network cuts it", () => {
  fc.assert(
    fc.property(fc.array(whole, { minLength: 1, maxLength: 5 }), chunkSizes, cuts, (rows, chunkSize, offsets) => {
      const messages: Message[] = rows.map(({ csid: _, ...message }) => message);
      const written = rows.map(({ csid, ...message }) => encodeMessage(csid, message, chunkSize));
      const bytes = Buffer.concat([announced(chunkSize), ...written]);
      const reading = readParts(cutAt(bytes, offsets));
      expect(reading.fault).toBeUndefined();
      expect(reading.messages.slice(1)).toEqual(messages);
    }),
    { numRuns: 500 },
  );
});

/** A message's chunks, each with its header; the extended field of the later ones as this kind of sender writes it. */
function chunksOf(header: ChunkHeader, payload: Buffer, chunkSize: number, repeatsExtended: boolean): Buffer[] {
  const bytes = Buffer.alloc(cutLength(header, chunkSize));
  cutMessage(bytes, 0, header, payload, chunkSize);
  const chunks: Buffer[] = [];
  const further = continuationHeaderLength(header);
  const dropped = repeatsExtended || header.time < 0xff_ff_ff ? 0 : 4;
  let end = chunkHeaderLength(header) + Math.min(chunkSize, payload.length);
  chunks.push(bytes.subarray(0, end));
  while (end < bytes.length) {
    const next = Math.min(end + further + chunkSize, bytes.length);
    const basic = bytes.subarray(end, end + further - (header.time < 0xff_ff_ff ? 0 : 4));
    chunks.push(Buffer.concat([basic, bytes.subarray(end + basic.length + dropped, next)]));
    end = next;
  }
  return chunks;
}

/** A first byte that no timestamp of these runs has, so that a payload is never a timestamp by chance. */
const marked = payloads.map((payload) => Buffer.from(payload.map((byte) => byte | 0x80)));
const lowTimes = fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 0xff_ff_00, max: 0x1_00_01_00 }));
const chunkStream = fc.array(
  fc.record({ fmt: fc.constantFrom<ChunkFormat>(0, 1, 2), time: lowTimes, type: types, payload: marked }),
  { minLength: 1, maxLength: 4 },
);

/** One chunk stream's chunks and the messages they hold. */
function laneOf(
  rows: readonly { fmt: ChunkFormat; time: number; type: number; payload: Buffer }[],
  csid: number,
  chunkSize: number,
  repeatsExtended: boolean,
): { chunks: Buffer[]; messages: Message[] } {
  const chunks: Buffer[] = [];
  const messages: Message[] = [];
  for (const row of rows) {
    const previous = messages.at(-1);
    const fmt = previous === undefined || (row.fmt === 2 && previous.payload.length === 0) ? 0 : row.fmt;
    // fmt 2 needs the length of the message before it.
    const payload = fmt === 2 && previous !== undefined ? Buffer.from(previous.payload).reverse() : row.payload;
    const type = fmt === 2 && previous !== undefined ? previous.type : row.type;
    const timestamp = fmt === 0 || previous === undefined ? row.time : (previous.timestamp + row.time) >>> 0;
    messages.push({ type, timestamp, streamId: csid, payload });
    const header: ChunkHeader = { fmt, csid, time: row.time, length: payload.length, type, streamId: csid };
    chunks.push(...chunksOf(header, payload, chunkSize, repeatsExtended));
  }
  return { chunks, messages };
}

test("chunk streams that are interleaved in any order, with or without repeated extended timestamps, do not mix", () => {
  const chunkStreams = fc.array(chunkStream, { minLength: 1, maxLength: 4 });
  const order = fc.array(fc.nat({ max: 3 }), { maxLength: 40 });
  fc.assert(
    fc.property(
      chunkStreams,
      order,
      fc.integer({ min: 1, max: 200 }),
      fc.boolean(),
      cuts,
      (rows, turns, size, repeats, offsets) => {
        const built = rows.map((row, index) => laneOf(row, 3 + index, size, repeats));
        const queues = built.map(({ chunks }) => [...chunks]);
        const mixed: Buffer[] = [announced(size)];
        for (const turn of turns) mixed.push(queues[turn % queues.length]?.shift() ?? Buffer.alloc(0));
        for (const queue of queues) mixed.push(...queue);
        // Whether three bytes at the end are payload or the beginning of a timestamp shows only in the bytes after
        // them.
        mixed.push(encodeMessage(20, { type: 8, timestamp: 0, streamId: 20, payload: Buffer.alloc(4) }, size));
        const reading = readParts(cutAt(Buffer.concat(mixed), offsets));
        expect(reading.fault).toBeUndefined();
        for (const [index, { messages }] of built.entries()) {
          expect(reading.messages.filter(({ streamId }) => streamId === 3 + index)).toEqual(messages);
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** A valid conversation to damage: control, commands, interleaved media, a changing chunk size. */
const conversation = fc
  .tuple(fc.array(chunkStream, { minLength: 1, maxLength: 3 }), fc.integer({ min: 128, max: 400 }))
  .map(([rows, size]) => {
    const chunks = rows.flatMap((row, index) => laneOf(row, 3 + index, size, true).chunks);
    const abort = encodeMessage(2, encodeControl({ kind: "abort", csid: 3 }), size);
    return Buffer.concat([announced(size), ...chunks, abort, ...chunks]);
  });

const damaged = fc.tuple(conversation, fc.array(fc.nat(), { minLength: 1, maxLength: 6 })).map(([bytes, flips]) => {
  const copy = Buffer.from(bytes);
  for (const flip of flips) {
    const bit = flip % (copy.length * 8);
    copy.writeUInt8((copy[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
  }
  return copy;
});
const noise = fc.uint8Array({ maxLength: 400, size: "max" }).map((bytes) => Buffer.from(bytes));
const limitsOf = fc.constantFrom<ReaderLimits>(LIMITS_BEFORE_PUBLISH, LIMITS_PUBLISHING, LIMITS_LENIENT);

test("a stream cut short anywhere gives its complete messages, and no error", () => {
  fc.assert(
    fc.property(conversation, fc.nat(), (bytes, offset) => {
      const all = readParts([bytes]);
      const part = readParts([bytes.subarray(0, offset % (bytes.length + 1))]);
      expect(all.fault).toBeUndefined();
      expect(part.fault).toBeUndefined();
      expect(part.messages).toEqual(all.messages.slice(0, part.messages.length));
    }),
    { numRuns: 300 },
  );
});

test("hostile bytes end in a protocol error at most, take no more memory than their length, and mean the same however cut", () => {
  const allocate = vi.spyOn(Buffer, "allocUnsafe");
  try {
    fc.assert(
      fc.property(fc.oneof(damaged, noise), limitsOf, cuts, (bytes, limits, offsets) => {
        const singly = Array.from(bytes, (byte) => Buffer.from([byte]));
        allocate.mockClear();
        const reading = readParts([bytes], limits);
        for (const [size] of allocate.mock.calls) expect(size).toBeLessThanOrEqual(Math.max(1_024, 2 * bytes.length));
        expect(readParts(cutAt(bytes, offsets), limits)).toEqual(reading);
        allocate.mockClear();
        expect(readParts(singly, limits)).toEqual(reading);
        for (const [size] of allocate.mock.calls) expect(size).toBeLessThanOrEqual(Math.max(1_024, 2 * bytes.length));
      }),
      { numRuns: FUZZ_RUNS },
    );
  } finally {
    allocate.mockRestore();
  }
});
