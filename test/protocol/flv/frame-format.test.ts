import fc from "fast-check";
import { expect, test } from "vitest";
import { av1RecordHead, parseAv1Config } from "../../../src/protocol/flv/video/av1-config.ts";
import { parseHevcConfig } from "../../../src/protocol/flv/video/hevc-config.ts";
import { readFrameFormat } from "../../../src/protocol/flv/video/read-frame-format.ts";
import { hex } from "../../support/streams/hex.ts";
import { BitWriter } from "./bit-writer.ts";

/** As FFmpeg writes them into files, with x265, libaom and SVT-AV1. */
const records = [
  {
    name: "HEVC 1920x1080, cropped from 1088 lines",
    codec: "hevc",
    bytes:
      "01016000000090000000000078f000fcfdf8f800000f03200001001840010c01ffff016000000300900000030000030078959409210001002b42010101" +
      "6000000300900000030000030078a003c0801107cb965654a4c2f0168080000003008000000c8422000100064401c073c189",
    format: { width: 1920, height: 1080 },
  },
  {
    name: "HEVC 4:4:4 ten bit 322x202",
    codec: "hevc",
    bytes:
      "0104080000009c08000000003cf000fcfffafa00000f03200001001740010c01ffff0408000003009c0800000300003c959409210001002c4201010408" +
      "000003009c0800000300003c90015101a38f9db2caca94985e02d010000003001000000301908022000100084401c07318301890",
    format: { width: 322, height: 202, pixelFormat: "yuv444p10le" },
  },
  {
    name: "HEVC 4:2:2 of two sub-layers, 1282x722",
    codec: "hevc",
    bytes:
      "0104080000009d08000000005df000fcfef8f800001303200001001b40010c02ffff0408000003009d0800000300005d00009594aca048210001003042" +
      "01020408000003009d0800000300005d0000b00288802e1c447e59594aca94985e02d010000003001000000301908022000100084401c073c189",
    format: { width: 1282, height: 722, pixelFormat: "yuv422p" },
  },
  {
    name: "HEVC ten bit 3840x2160",
    codec: "hevc",
    bytes:
      "01022000000090000000000096f000fcfdfafa00000f03200001001840010c01ffff022000000300900000030000030096959409210001002b42010102" +
      "2000000300900000030000030096a001e020021c4d965654a4c2f0168080000003008000000c8422000100064401c073c189",
    format: { width: 3840, height: 2160, pixelFormat: "yuv420p10le" },
  },
  {
    name: "AV1 1280x720 (libaom)",
    codec: "av1",
    bytes: "81050c000a0b0000002d4cffb3cdaf9004",
    format: { width: 1280, height: 720 },
  },
  {
    name: "AV1 4:4:4 ten bit 322x202 (libaom)",
    codec: "av1",
    bytes: "812040000a0a200000043d0724daf942",
    format: { width: 322, height: 202, pixelFormat: "yuv444p10le" },
  },
  {
    name: "AV1 1920x1080 (SVT)",
    codec: "av1",
    bytes: "81080c000a0b00000042abbfc3700be001",
    format: { width: 1920, height: 1080 },
  },
] as const;

test.each(records)(
  "a configuration record holds frame size, chroma and bit depth: $name",
  ({ codec, bytes, format }) => {
    expect(readFrameFormat(codec, hex(bytes))).toStrictEqual(format);
  },
);

test.each(records)("a record cut anywhere gives that format or none: $name", ({ codec, bytes, format }) => {
  const whole = hex(bytes);
  for (let length = 0; length < whole.length; length += 1) {
    const read = readFrameFormat(codec, whole.subarray(0, length));
    if (read !== undefined) expect(read).toStrictEqual(format);
  }
});

test.each(records.filter(({ codec }) => codec === "av1"))(
  "the sequence header says what its record begins with: $name",
  ({ bytes }) => {
    const record = hex(bytes);
    expect(av1RecordHead(record.subarray(4))).toEqual(record.subarray(0, 4));
    for (let length = 0; length < record.length - 6; length += 1) {
      expect(av1RecordHead(record.subarray(4, 4 + length))).toBeUndefined();
    }
    expect(av1RecordHead(hex("32030102ff"))).toBeUndefined();
  },
);

test("codecs whose configuration has no size return none", () => {
  expect(readFrameFormat("vp9", hex("000a0a8200000000"))).toBeUndefined();
  expect(readFrameFormat("unknown", hex(records[0].bytes))).toBeUndefined();
});

/** A sequence header with everything in it that may come before the size. */
function fullSequenceHeader(): Buffer {
  const writer = new BitWriter().bits(0, 3).bits(0, 1).bits(0, 1);
  writer.bits(1, 1).bits(1, 32).bits(25, 32).bits(1, 1).unsigned(5); // timing, equal intervals
  writer.bits(1, 1).bits(9, 5).bits(1, 32).bits(3, 5).bits(4, 5); // decoder model with delays of 10 bits
  writer.bits(1, 1).bits(1, 5); // display delay, two operating points
  writer.bits(0x101, 12).bits(8, 5).bits(1, 1).bits(1, 1).bits(513, 10).bits(700, 10).bits(0, 1).bits(1, 1).bits(9, 4);
  writer.bits(0x100, 12).bits(4, 5).bits(0, 1).bits(0, 1);
  return writer.bits(10, 4).bits(9, 4).bits(1599, 11).bits(899, 10).bytes();
}

test("timing, decoder model and operating points of AV1 do not hide the frame's size", () => {
  const body = fullSequenceHeader();
  // A temporal delimiter and a padding of two-byte size before it, an extension in its own header.
  const padding = Buffer.concat([Buffer.from([0x7a, 0x80, 0x01]), Buffer.alloc(128)]);
  const header = Buffer.concat([Buffer.from([0x0e, 0x00, body.length]), body]);
  const record = Buffer.concat([hex("81050c00 1200"), padding, header]);
  expect(parseAv1Config(record)).toStrictEqual({ width: 1600, height: 900 });
  // An OBU without a size goes on to the end.
  expect(parseAv1Config(Buffer.concat([hex("81050c00 08"), body]))).toStrictEqual({ width: 1600, height: 900 });
});

test("a still picture's short header has its size, too", () => {
  const body = new BitWriter().bits(0, 3).bits(1, 1).bits(1, 1).bits(4, 5).bits(9, 4).bits(9, 4);
  const bytes = body.bits(639, 10).bits(479, 10).bytes();
  const record = Buffer.concat([hex("81050c00 0a"), Buffer.from([bytes.length]), bytes]);
  expect(parseAv1Config(record)).toStrictEqual({ width: 640, height: 480 });
});

test("a frame larger than any level allows is ignored", () => {
  const body = new BitWriter().bits(0, 3).bits(1, 1).bits(1, 1).bits(4, 5).bits(15, 4).bits(9, 4);
  const bytes = body.bits(65_535, 16).bits(479, 10).bytes();
  expect(parseAv1Config(Buffer.concat([hex("81050c00 0a"), Buffer.from([bytes.length]), bytes]))).toBeUndefined();
});

test("no bytes make the readers throw, or return an impossible size", () => {
  const damaged = fc
    .tuple(fc.constantFrom(...records), fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 }))
    .map(([{ bytes }, changes]) => {
      const record = hex(bytes);
      for (const [at, byte] of changes) record[at % record.length] = byte;
      return record;
    });
  fc.assert(
    fc.property(fc.oneof(damaged, fc.uint8Array({ maxLength: 200 })), (bytes) => {
      for (const picture of [parseHevcConfig(Buffer.from(bytes)), parseAv1Config(Buffer.from(bytes))]) {
        if (picture === undefined) continue;
        expect(picture.width).toBeGreaterThan(0);
        expect(picture.height).toBeGreaterThan(0);
        expect(Math.max(picture.width, picture.height)).toBeLessThanOrEqual(16_384);
      }
    }),
    { numRuns: 3_000 },
  );
});
