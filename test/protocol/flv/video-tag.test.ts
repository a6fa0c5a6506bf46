import fc from "fast-check";
import { expect, test } from "vitest";
import { classifyVideo, hasIdr, type VideoTag } from "../../../src/protocol/flv/video/video-tag.ts";
import { hex } from "../../support/streams/hex.ts";

type Row = { name: string; bytes: string; tag: Partial<VideoTag> };

const frame = { part: "frame", isKeyframe: false, compositionTimeMs: 0, trackId: 0 } as const;
const key = { ...frame, isKeyframe: true } as const;
const config = { part: "config", isKeyframe: false, compositionTimeMs: 0, trackId: 0 } as const;

const legacy: Row[] = [
  {
    name: "AVC sequence header",
    bytes: "17 00 000000 0142c01e",
    tag: { ...config, codec: "avc", bodyOffset: 5, bodyEnd: 9 },
  },
  { name: "AVC sequence header flagged inter", bytes: "27 00 000000 0142c01e", tag: { ...config, codec: "avc" } },
  {
    name: "AVC key",
    bytes: "17 01 000028 00000002 6588",
    tag: { ...key, codec: "avc", compositionTimeMs: 40, bodyOffset: 5 },
  },
  { name: "AVC generated key", bytes: "47 01 000000 00000002 6588", tag: { ...key, codec: "avc" } },
  { name: "AVC inter", bytes: "27 01 000000 00000002 419a", tag: { ...frame, codec: "avc" } },
  { name: "AVC disposable", bytes: "37 01 000000 00000002 019a", tag: { ...frame, codec: "avc" } },
  { name: "negative composition time", bytes: "27 01 ffffd8 00000002 419a", tag: { ...frame, compositionTimeMs: -40 } },
  {
    name: "most negative composition time",
    bytes: "27 01 800000 00000002 419a",
    tag: { compositionTimeMs: -8_388_608 },
  },
  { name: "longest composition time", bytes: "27 01 7fffff 00000002 419a", tag: { compositionTimeMs: 8_388_607 } },
  { name: "zero-length NAL unit before a real one", bytes: "17 01 000000 00000000 00000001 65", tag: { ...key } },
  { name: "end of sequence", bytes: "17 02 000000", tag: { codec: "avc", part: "end", isKeyframe: false } },
  {
    name: "end of sequence without composition time",
    bytes: "17 02",
    tag: { part: "end", isKeyframe: false, bodyOffset: 2 },
  },
  { name: "empty key", bytes: "17 01 000000", tag: { codec: "avc", part: "empty", isKeyframe: false } },
  {
    name: "key of zero-length NAL units",
    bytes: "17 01 000000 00000000 00000000",
    tag: { part: "empty", isKeyframe: false },
  },
  { name: "empty inter", bytes: "27 01 000028", tag: { codec: "avc", part: "empty" } },
  { name: "empty configuration", bytes: "17 00 000000", tag: { codec: "avc", part: "empty" } },
  {
    name: "unknown AVC packet type",
    bytes: "17 03 000000 01",
    tag: { codec: "avc", part: "empty", isKeyframe: false },
  },
  { name: "AVC cut after one byte", bytes: "17", tag: { codec: "avc", part: "empty", isKeyframe: false } },
  { name: "seek command", bytes: "57 00", tag: { codec: "avc", part: "command", isKeyframe: false } },
  { name: "HEVC by codec id 12, sequence header", bytes: "1C 00 000000 01", tag: { ...config, codec: "hevc" } },
  { name: "HEVC by codec id 12, key", bytes: "1C 01 000000 00000002 2601", tag: { ...key, codec: "hevc" } },
  { name: "H.263 key", bytes: "12 00 00 84", tag: { ...key, codec: "h263", bodyOffset: 1 } },
  { name: "VP6 inter", bytes: "24 00 01", tag: { ...frame, codec: "vp6" } },
  { name: "unknown codec id", bytes: "1F 01 000000 01", tag: { codec: "unknown", part: "empty", isKeyframe: false } },
  {
    name: "nothing",
    bytes: "",
    tag: { codec: "unknown", part: "empty", isKeyframe: false, bodyOffset: 0, bodyEnd: 0 },
  },
];

const enhanced: Row[] = [
  { name: "hvc1 SequenceStart", bytes: "90 68766331 01", tag: { ...config, codec: "hevc", bodyOffset: 5, bodyEnd: 6 } },
  {
    name: "hvc1 key CodedFrames",
    bytes: "91 68766331 ffffff 00000002 2601",
    tag: { ...key, codec: "hevc", compositionTimeMs: -1, bodyOffset: 8 },
  },
  { name: "hvc1 key CodedFramesX", bytes: "93 68766331 00000002 2601", tag: { ...key, codec: "hevc", bodyOffset: 5 } },
  {
    name: "hvc1 inter CodedFrames",
    bytes: "A1 68766331 000010 00000002 0201",
    tag: { ...frame, compositionTimeMs: 16 },
  },
  { name: "hvc1 inter CodedFramesX", bytes: "A3 68766331 00000002 0201", tag: { ...frame, codec: "hevc" } },
  { name: "av01 SequenceStart", bytes: "90 61763031 81", tag: { ...config, codec: "av1" } },
  { name: "av01 MPEG2TSSequenceStart", bytes: "95 61763031 80", tag: { ...config, codec: "av1" } },
  { name: "av01 key", bytes: "91 61763031 1200", tag: { ...key, codec: "av1", bodyOffset: 5 } },
  { name: "av01 key CodedFramesX", bytes: "93 61763031 1200", tag: { ...key, codec: "av1", bodyOffset: 5 } },
  { name: "av01 inter", bytes: "A1 61763031 1200", tag: { ...frame, codec: "av1" } },
  { name: "vp09 key", bytes: "91 76703039 82", tag: { ...key, codec: "vp9", bodyOffset: 5 } },
  { name: "vp08 inter", bytes: "A1 76703038 82", tag: { ...frame, codec: "vp8" } },
  { name: "vvc1 SequenceStart", bytes: "90 76766331 ff", tag: { ...config, codec: "vvc" } },
  { name: "avc1 SequenceStart", bytes: "90 61766331 01", tag: { ...config, codec: "avc" } },
  {
    name: "HDR metadata, frame type key",
    bytes: "94 68766331 020009",
    tag: { codec: "hevc", part: "color", isKeyframe: false },
  },
  { name: "HDR metadata, frame type command", bytes: "D4 68766331 020009", tag: { codec: "hevc", part: "color" } },
  { name: "SequenceEnd", bytes: "92 68766331", tag: { codec: "hevc", part: "end", isKeyframe: false } },
  {
    name: "ModEx of 500 000 ns before avc1 key CodedFrames",
    bytes: "97 02 07A120 01 61766331 000021 00000001 65",
    tag: { ...key, codec: "avc", compositionTimeMs: 33, bodyOffset: 13 },
  },
  {
    name: "two ModEx",
    bytes: "97 02 07A120 07 00 AA 01 61766331 000000 00000001 65",
    tag: { ...key, codec: "avc", bodyOffset: 16 },
  },
  {
    name: "ModEx of 256 bytes, its size in the long form",
    bytes: `97 FF 00FF ${"AA".repeat(256)} 00 61766331 01`,
    tag: { ...config, codec: "avc", bodyOffset: 265 },
  },
  {
    name: "Multitrack OneTrack, avc1, track 1, key",
    bytes: "96 01 61766331 01 000021 00000001 65",
    tag: { ...key, codec: "avc", trackId: 1, compositionTimeMs: 33, bodyOffset: 10, bodyEnd: 15 },
  },
  {
    name: "Multitrack ManyTracks, avc1, tracks 0 and 1, key",
    bytes: "96 11 61766331 00 000008 000021 00000001 65 01 000008 000000 00000001 65",
    tag: { ...key, codec: "avc", trackId: 0, compositionTimeMs: 33, bodyOffset: 13, bodyEnd: 18 },
  },
  {
    name: "Multitrack ManyTracksManyCodecs",
    bytes: "96 21 61766331 02 000008 000000 00000001 65 68766331 01 000008 000000 00000001 26",
    tag: { ...key, codec: "avc", trackId: 2, bodyEnd: 18 },
  },
  {
    name: "Multitrack OneTrack SequenceStart, inter flag",
    bytes: "A6 00 68766331 03 01",
    tag: { ...config, codec: "hevc", trackId: 3 },
  },
  { name: "Multitrack SequenceEnd", bytes: "96 02 68766331 01", tag: { part: "end", codec: "hevc", trackId: 1 } },
  { name: "seek command", bytes: "D1 00", tag: { part: "command", codec: "unknown", isKeyframe: false } },
  { name: "unknown FourCC passes by its packet type", bytes: "91 78787878 01", tag: { ...key, codec: "unknown" } },
  { name: "empty key", bytes: "91 68766331 000000", tag: { codec: "hevc", part: "empty", isKeyframe: false } },
  {
    name: "key of zero-length NAL units",
    bytes: "93 68766331 00000000",
    tag: { codec: "hevc", part: "empty", isKeyframe: false },
  },
  { name: "empty av01 key", bytes: "91 61763031", tag: { codec: "av1", part: "empty", isKeyframe: false } },
  { name: "empty configuration", bytes: "90 68766331", tag: { codec: "hevc", part: "empty" } },
  { name: "cut inside the composition time", bytes: "91 68766331 0000", tag: { codec: "hevc", part: "empty" } },
  { name: "cut inside the FourCC", bytes: "91 687663", tag: { codec: "unknown", part: "empty" } },
  { name: "cut inside ModEx", bytes: "97 02 07A1", tag: { codec: "unknown", part: "empty" } },
  { name: "reserved packet type", bytes: "98 68766331 01", tag: { codec: "hevc", part: "empty" } },
  { name: "Multitrack inside Multitrack", bytes: "96 06 61766331 01 00", tag: { codec: "unknown", part: "empty" } },
  { name: "unknown Multitrack form", bytes: "96 31 61766331 01 000001 00", tag: { codec: "unknown", part: "empty" } },
  {
    name: "track size beyond the message",
    bytes: "96 11 61766331 00 000009 000021 00000001 65",
    tag: { part: "empty" },
  },
];

test.each(legacy)("a legacy video message is classified: $name", ({ bytes, tag }) => {
  expect(classifyVideo(hex(bytes))).toMatchObject({ form: "legacy", ...tag });
});

test.each(enhanced)("an enhanced video message is classified: $name", ({ bytes, tag }) => {
  expect(classifyVideo(hex(bytes))).toMatchObject({ form: "enhanced", ...tag });
});

test("a classification has all of its fields, and nothing else", () => {
  expect(classifyVideo(hex("17 01 000028 00000002 6588"))).toStrictEqual({
    codec: "avc",
    form: "legacy",
    part: "frame",
    isKeyframe: true,
    compositionTimeMs: 40,
    trackId: 0,
    bodyOffset: 5,
    bodyEnd: 11,
  });
});

test.each([
  { name: "AVC IDR", bytes: "17 01 000000 00000001 65", size: 4, is: true },
  {
    name: "AVC IDR after parameter sets",
    bytes: "17 01 000000 00000002 0910 00000000 00000001 67 00000001 65",
    size: 4,
    is: true,
  },
  { name: "AVC recovery point flagged as key", bytes: "17 01 000000 00000002 0605 00000002 419a", size: 4, is: false },
  { name: "AVC IDR with two-byte lengths", bytes: "17 01 000000 0001 09 0001 65", size: 2, is: true },
  { name: "AVC IDR that is cut short", bytes: "17 01 000000 00000009 65", size: 4, is: false },
  { name: "AVC inter", bytes: "27 01 000000 00000001 41", size: 4, is: false },
  { name: "AVC configuration", bytes: "17 00 000000 00000001 65", size: 4, is: false },
  { name: "AVC as enhanced CodedFramesX", bytes: "93 61766331 00000001 65", size: 4, is: true },
  { name: "HEVC IDR_W_RADL", bytes: "91 68766331 000000 00000002 2601", size: 4, is: true },
  { name: "HEVC CRA by codec id 12", bytes: "1C 01 000000 00000002 2a01", size: 4, is: true },
  { name: "HEVC trailing picture flagged as key", bytes: "93 68766331 00000002 0201", size: 4, is: false },
  { name: "VVC IDR", bytes: "93 76766331 00000002 0039", size: 4, is: true },
  { name: "VVC trailing picture", bytes: "93 76766331 00000002 0001", size: 4, is: false },
  { name: "AV1, whose flag is believed", bytes: "91 61763031 1200", size: 4, is: true },
  { name: "AV1 inter", bytes: "A1 61763031 1200", size: 4, is: false },
])("a real random access point is distinguished from a flag: $name", ({ bytes, size, is }) => {
  expect(hasIdr(hex(bytes), size)).toBe(is);
});

/** Any bytes, with first bytes that lead deep into the readers made likely. */
const anyPayload = fc
  .tuple(
    fc.constantFrom("", "17", "1701000000", "91", "97", "96", "9611", "9621", "9761", "93617663"),
    fc.uint8Array({ maxLength: 64 }),
  )
  .map(([head, tail]) => Buffer.concat([hex(head), tail]));

test("no bytes make the classifier throw, point outside the message, or call an empty message a keyframe", () => {
  fc.assert(
    fc.property(anyPayload, fc.integer({ min: 1, max: 4 }), (payload, nalLengthSize) => {
      const tag = classifyVideo(payload);
      expect(tag.bodyOffset).toBeLessThanOrEqual(tag.bodyEnd);
      expect(tag.bodyEnd).toBeLessThanOrEqual(payload.length);
      if (tag.isKeyframe) expect(tag.part).toBe("frame");
      if (tag.part === "frame" || tag.part === "config") expect(tag.bodyOffset).toBeLessThan(tag.bodyEnd);
      if (hasIdr(payload, nalLengthSize)) expect(tag.part).toBe("frame");
    }),
    { numRuns: 2_000 },
  );
});

test("a message cut anywhere is empty, the end mark, or a shorter one of its kind", () => {
  for (const { bytes } of [...legacy, ...enhanced]) {
    const payload = hex(bytes);
    const whole = classifyVideo(payload);
    for (let length = 0; length < payload.length; length += 1) {
      expect(["empty", whole.part]).toContain(classifyVideo(payload.subarray(0, length)).part);
    }
  }
});
