import { expect, test } from "vitest";
import {
  basicHeaderLength,
  type ChunkHeader,
  chunkHeaderLength,
  continuationHeaderLength,
  writeChunkHeader,
} from "../../../../src/protocol/rtmp/chunk/chunk-header.ts";
import {
  cutLength,
  cutMessage,
  encodeMessage,
  gatherPayload,
} from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { hex } from "../../../support/streams/hex.ts";
import { videoPayload, WIRE_VECTORS } from "./chunk-vectors.ts";

test.each(WIRE_VECTORS)("$name is written byte for byte", ({ csid, chunkSize, message, bytes }) => {
  expect(encodeMessage(csid, message, chunkSize)).toEqual(bytes);
});

const base: ChunkHeader = { fmt: 0, csid: 6, time: 40, length: 200, type: 9, streamId: 1 };

test.each<{ name: string; header: ChunkHeader; bytes: string }>([
  { name: "fmt 0", header: base, bytes: "06 000028 0000C8 09 01000000" },
  { name: "fmt 1", header: { ...base, fmt: 1 }, bytes: "46 000028 0000C8 09" },
  { name: "fmt 2", header: { ...base, fmt: 2 }, bytes: "86 000028" },
  { name: "fmt 3", header: { ...base, fmt: 3 }, bytes: "C6" },
  { name: "the last short time", header: { ...base, fmt: 2, time: 0xff_ff_fe }, bytes: "86 FFFFFE" },
  {
    name: "the first extended time",
    header: { ...base, time: 0xff_ff_ff },
    bytes: "06 FFFFFF 0000C8 09 01000000 00FFFFFF",
  },
  { name: "an extended delta", header: { ...base, fmt: 1, time: 0x1_00_00_00 }, bytes: "46 FFFFFF 0000C8 09 01000000" },
  { name: "an extended fmt 2", header: { ...base, fmt: 2, time: 0xff_ff_ff_ff }, bytes: "86 FFFFFF FFFFFFFF" },
  { name: "an extended fmt 3", header: { ...base, fmt: 3, time: 0xff_ff_ff_ff }, bytes: "C6 FFFFFFFF" },
  { name: "a two-byte fmt 3", header: { ...base, fmt: 3, csid: 64 }, bytes: "C0 00" },
  { name: "a three-byte fmt 1", header: { ...base, fmt: 1, csid: 65_599 }, bytes: "41 FFFF 000028 0000C8 09" },
])("a header with $name is written, with the predicted length", ({ header, bytes }) => {
  const into = Buffer.alloc(20, 0xee);
  const end = writeChunkHeader(into, 1, header);
  expect(into.subarray(1, end)).toEqual(hex(bytes));
  expect(chunkHeaderLength(header)).toBe(hex(bytes).length);
});

test("chunk streams that do not exist are a fault of ours", () => {
  for (const csid of [0, 1, 65_600]) {
    expect(() => writeChunkHeader(Buffer.alloc(20), 0, { ...base, csid })).toThrow(RangeError);
  }
});

test("a message is written after earlier bytes, and its end is returned", () => {
  const into = Buffer.alloc(300, 0xee);
  const end = cutMessage(into, 3, { ...base, fmt: 1 }, videoPayload, 128);
  expect(into.subarray(0, end)).toEqual(
    Buffer.concat([
      hex("EEEEEE 46 000028 0000C8 09"),
      videoPayload.subarray(0, 128),
      hex("C6"),
      videoPayload.subarray(128),
    ]),
  );
  expect(end - 3).toBe(cutLength({ ...base, fmt: 1 }, 128));
  expect(into.subarray(end).every((byte) => byte === 0xee)).toBe(true);
});

test.each([
  { length: 0, continuations: 0 },
  { length: 1, continuations: 0 },
  { length: 128, continuations: 0 },
  { length: 129, continuations: 1 },
  { length: 256, continuations: 1 },
  { length: 257, continuations: 2 },
])("$length bytes in chunks of 128 take $continuations further headers", ({ length, continuations }) => {
  expect(cutLength({ ...base, length }, 128)).toBe(12 + length + continuations);
  expect(cutLength({ ...base, length, csid: 320, time: 0xff_ff_ff }, 128)).toBe(18 + length + 7 * continuations);
});

test("a header that has another length than the payload is a fault of ours", () => {
  expect(() => cutMessage(Buffer.alloc(300), 0, base, videoPayload.subarray(1), 128)).toThrow(RangeError);
});

test("a cut message is put together again", () => {
  for (const chunkSize of [1, 7, 128, 199, 200, 4_096]) {
    for (const time of [40, 0xff_ff_ff]) {
      for (const csid of [6, 64, 320]) {
        const header: ChunkHeader = { ...base, fmt: 1, csid, time };
        const chunks = Buffer.alloc(cutLength(header, chunkSize));
        cutMessage(chunks, 0, header, videoPayload, chunkSize);
        const length = chunkHeaderLength(header);
        const further = continuationHeaderLength(header);
        expect(gatherPayload(chunks, length, 200, chunkSize, further)).toEqual(videoPayload);
      }
    }
  }
  expect(continuationHeaderLength(base)).toBe(basicHeaderLength(6));
});

test("chunks that are shorter than the payload they should hold are a fault of ours", () => {
  const chunks = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: videoPayload }, 128);
  expect(() => gatherPayload(chunks.subarray(0, -1), 12, 200, 128, 1)).toThrow(RangeError);
});
