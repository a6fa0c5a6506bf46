import fc from "fast-check";
import { expect, test } from "vitest";
import { parseAudioSpecificConfig } from "../../../src/protocol/flv/audio/aac-config.ts";
import { BitReader } from "../../../src/protocol/flv/bit-reader.ts";
import { parseAvcConfig } from "../../../src/protocol/flv/video/avc-config.ts";
import { parseSps } from "../../../src/protocol/flv/video/sps.ts";
import { hex } from "../../support/streams/hex.ts";
import { BitWriter } from "./bit-writer.ts";

/** Records as x264 writes them, through FFmpeg's FLV muxer. */
const records = [
  {
    name: "baseline 640x360 at 25",
    bytes: "0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20",
    config: { profile: 66, level: 30, nalLengthSize: 4, format: { width: 640, height: 360, frameRate: 25 } },
  },
  {
    name: "high 1920x1080 at 29.97",
    bytes: "01640028ffe1001967640028acd940780227e5c04400000fa40003a9803c60c65801000668ebe3cb22c0fdf8f800",
    config: {
      profile: 100,
      level: 40,
      nalLengthSize: 4,
      format: { width: 1920, height: 1080, frameRate: 30000 / 1001 },
    },
  },
  {
    name: "main 1280x720 at 60",
    bytes: "014d4020ffe10019674d4020eca02802dd8088000003000800000303c078c18cb001000568ebe3cb20",
    config: { profile: 77, level: 32, nalLengthSize: 4, format: { width: 1280, height: 720, frameRate: 60 } },
  },
  {
    name: "interlaced 1920x1080 at 25 frames",
    bytes: "01640028ffe1001a67640028acd94078044fde0220000003002000000643e2c5b2c001000668fba3cb22c0fdf8f800",
    config: { profile: 100, level: 40, nalLengthSize: 4, format: { width: 1920, height: 1080, frameRate: 25 } },
  },
  {
    name: "4:4:4 322x202 at 24",
    bytes: "01f4000dffe1001b67f4000d919b282a37c7cf80880000030008000003018078a14cb001000668ebe3c44844fff8f800",
    config: {
      profile: 244,
      level: 13,
      nalLengthSize: 4,
      format: { width: 322, height: 202, pixelFormat: "yuv444p", frameRate: 24 },
    },
  },
  {
    name: "4:2:2 ten bit 322x202 at 24",
    bytes: "017a000dffe1001b677a000db6cd94151be227c044000003000400000300c03c50a65801000668ebe3cb20fefafa00",
    config: {
      profile: 122,
      level: 13,
      nalLengthSize: 4,
      format: { width: 322, height: 202, pixelFormat: "yuv422p10le", frameRate: 24 },
    },
  },
  {
    name: "portrait 1080x1920 at 30",
    bytes: "01640028ffe1001b67640028acd9404403c797c044000003000400000300f03c60c65801000668ebe3cb22c0fdf8f800",
    config: { profile: 100, level: 40, nalLengthSize: 4, format: { width: 1080, height: 1920, frameRate: 30 } },
  },
  {
    name: "two-byte lengths and no parameter set",
    bytes: "0142c01efde000",
    config: { profile: 66, level: 30, nalLengthSize: 2 },
  },
  {
    name: "a parameter set that is cut short",
    bytes: "0142c01effe1001967",
    config: { profile: 66, level: 30, nalLengthSize: 4 },
  },
  {
    name: "an empty parameter set",
    bytes: "0142c01effe10000",
    config: { profile: 66, level: 30, nalLengthSize: 4 },
  },
];

test.each(records)("an AVC configuration record is read: $name", ({ bytes, config }) => {
  expect(parseAvcConfig(hex(bytes))).toStrictEqual(config);
});

test.each(["", "01", "0142c01eff", "0042c01effe1"])("%j is refused as an AVC configuration record", (bytes) => {
  expect(parseAvcConfig(hex(bytes))).toBeUndefined();
});

/** Everything up to the frame's size, with the lists and cycles that x264 never writes. */
function unusualSps(widthInMacroblocks: number): Buffer {
  const writer = new BitWriter().bits(0x67, 8).bits(100, 8).bits(0, 8).bits(40, 8).unsigned(0);
  writer.unsigned(1).unsigned(0).unsigned(0).bits(0, 1); // 4:2:0, eight bits
  writer.bits(1, 1); // scaling matrix: the first list spelled out, the seventh ended at once
  writer.bits(1, 1);
  for (let index = 0; index < 16; index += 1) writer.signed(index % 2 === 0 ? 3 : -2);
  writer.bits(0, 5).bits(1, 1).signed(-8).bits(0, 1);
  writer.unsigned(0).unsigned(1).bits(0, 1).signed(-5).signed(7).unsigned(2).signed(100).signed(-100);
  writer
    .unsigned(4)
    .bits(0, 1)
    .unsigned(widthInMacroblocks - 1)
    .unsigned(67)
    .bits(1, 1)
    .bits(1, 1);
  writer.bits(1, 1).unsigned(0).unsigned(0).unsigned(0).unsigned(4); // 1088 lines cropped to 1080
  return writer.bits(0, 1).bytes();
}

test("scaling lists and a picture order cycle do not hide the frame's size", () => {
  expect(parseSps(unusualSps(120))).toStrictEqual({ width: 1920, height: 1080 });
});

test("a frame larger than any level allows is ignored", () => {
  expect(parseSps(unusualSps(1_025))).toBeUndefined();
});

test("another NAL unit is not read as a parameter set", () => {
  const sps = unusualSps(120);
  sps[0] = 0x68;
  expect(parseSps(sps)).toBeUndefined();
});

test.each([
  {
    name: "AAC-LC 44.1 kHz stereo",
    bytes: "12 10",
    config: { objectType: 2, sampleRate: 44_100, coreSampleRate: 44_100, channels: 2 },
  },
  {
    name: "AAC-LC 48 kHz stereo",
    bytes: "11 90",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 2 },
  },
  {
    name: "AAC-LC 44.1 kHz mono",
    bytes: "12 08",
    config: { objectType: 2, sampleRate: 44_100, coreSampleRate: 44_100, channels: 1 },
  },
  {
    name: "AAC-LC 48 kHz mono",
    bytes: "11 88",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 1 },
  },
  {
    name: "AAC-LC 48 kHz 5.1",
    bytes: "11 B0",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 6 },
  },
  {
    name: "AAC-LC 48 kHz 7.1",
    bytes: "11 B8",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 8 },
  },
  {
    name: "AAC-LC, no extension after it (FFmpeg)",
    bytes: "12 10 56 E5 00",
    config: { objectType: 2, sampleRate: 44_100, coreSampleRate: 44_100, channels: 2 },
  },
  {
    name: "HE-AAC, five bytes",
    bytes: "13 90 56 E5 A0",
    config: { objectType: 5, sampleRate: 44_100, coreSampleRate: 22_050, channels: 2 },
  },
  {
    name: "HE-AAC, said first",
    bytes: "2B 92 08 00",
    config: { objectType: 5, sampleRate: 44_100, coreSampleRate: 22_050, channels: 2 },
  },
  {
    name: "HE-AAC v2, said first",
    bytes: "EB 8A 08 00",
    config: { objectType: 29, sampleRate: 44_100, coreSampleRate: 22_050, channels: 2 },
  },
  {
    name: "HE-AAC v2, seven bytes",
    bytes: "13 88 56 E5 A5 48 80",
    config: { objectType: 29, sampleRate: 44_100, coreSampleRate: 22_050, channels: 2 },
  },
  {
    name: "channels described one by one",
    bytes: "11 80",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 0 },
  },
  {
    name: "a sample rate spelled out",
    bytes: "17 80 5D C0 10",
    config: { objectType: 2, sampleRate: 48_000, coreSampleRate: 48_000, channels: 2 },
  },
])("an AudioSpecificConfig is read: $name", ({ bytes, config }) => {
  expect(parseAudioSpecificConfig(hex(bytes))).toStrictEqual(config);
});

test.each(["", "12", "16 90", "00 00", "17 80 5D"])("%j is refused as an AudioSpecificConfig", (bytes) => {
  expect(parseAudioSpecificConfig(hex(bytes))).toBeUndefined();
});

test("Exp-Golomb codes are read as they are written", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -(2 ** 30), max: 2 ** 30 })), (values) => {
      const writer = new BitWriter();
      for (const value of values) writer.signed(value).unsigned(Math.abs(value));
      const reader = new BitReader(writer.bytes());
      for (const value of values) {
        expect(reader.signed()).toEqual(value);
        expect(reader.unsigned()).toBe(Math.abs(value));
      }
      expect(reader.isExhausted).toBe(false);
    }),
  );
});

test("reading past the end gives zeros and sets a flag", () => {
  const reader = new BitReader(Buffer.from([0x80]));
  expect(reader.bits(8)).toBe(0x80);
  expect(reader.isExhausted).toBe(false);
  expect(reader.bits(32)).toBe(0);
  expect(reader.isExhausted).toBe(true);
  expect(new BitReader(Buffer.alloc(16)).unsigned()).toBe(0);
});

test("no bytes make the configuration readers throw", () => {
  const flipped = fc
    .tuple(
      fc.constantFrom(...records.map((record) => record.bytes)),
      fc.nat(),
      fc.integer({ min: 0, max: 255 }),
      fc.nat(),
    )
    .map(([text, at, byte, cut]) => {
      const bytes = hex(text);
      bytes[at % bytes.length] = byte;
      return bytes.subarray(0, bytes.length - (cut % 4));
    });
  fc.assert(
    fc.property(fc.oneof(flipped, fc.uint8Array({ maxLength: 80 })), (bytes) => {
      const config = parseAvcConfig(Buffer.from(bytes));
      if (config?.format !== undefined) {
        expect(config.format.width).toBeGreaterThan(0);
        expect(config.format.height).toBeGreaterThan(0);
      }
      const audio = parseAudioSpecificConfig(Buffer.from(bytes));
      if (audio !== undefined) expect(audio.sampleRate).toBeGreaterThan(0);
    }),
    { numRuns: 2_000 },
  );
});
