import fc from "fast-check";
import { expect, test } from "vitest";
import { type AudioTag, classifyAudio, stripAdts } from "../../../src/protocol/flv/audio/audio-tag.ts";
import { hex } from "../../support/streams/hex.ts";

type Row = { name: string; bytes: string; tag: Partial<AudioTag> };

/** One silent stereo AAC-LC frame, and the ADTS header an encoder would put before it (without and with checksum). */
const SILENCE = "21 00 49 90 02 19 00 23 80";
const ADTS = "FF F1 50 80 02 1F FC";
const ADTS_CHECKSUM = "FF F0 50 80 02 5F FC 12 34";

const rows: Row[] = [
  {
    name: "AAC configuration",
    bytes: "AF 00 12 10",
    tag: { codec: "aac", form: "legacy", part: "config", bodyOffset: 2, bodyEnd: 4 },
  },
  { name: "HE-AAC configuration", bytes: "AF 00 13 90 56 E5 A0", tag: { codec: "aac", part: "config", bodyEnd: 7 } },
  {
    name: "AAC frame",
    bytes: `AF 01 ${SILENCE}`,
    tag: { codec: "aac", part: "frame", hasAdts: false, bodyOffset: 2, bodyEnd: 11 },
  },
  { name: "AAC frame, flags of 11 kHz mono", bytes: `A2 01 ${SILENCE}`, tag: { codec: "aac", part: "frame" } },
  {
    name: "AAC frame after ADTS",
    bytes: `AF 01 ${ADTS} ${SILENCE}`,
    tag: { codec: "aac", part: "frame", hasAdts: true },
  },
  {
    name: "AAC frame after ADTS with checksum",
    bytes: `AF 01 ${ADTS_CHECKSUM} ${SILENCE}`,
    tag: { part: "frame", hasAdts: true },
  },
  { name: "empty AAC configuration", bytes: "AF 00", tag: { codec: "aac", part: "empty" } },
  { name: "AAC configuration of one byte", bytes: "AF 00 12", tag: { codec: "aac", part: "empty" } },
  { name: "empty AAC frame", bytes: "AF 01", tag: { codec: "aac", part: "empty" } },
  { name: "unknown AAC packet type", bytes: "AF 02 12 10", tag: { codec: "aac", part: "empty" } },
  { name: "AAC cut after one byte", bytes: "AF", tag: { codec: "aac", part: "empty" } },
  { name: "silence marker", bytes: "", tag: { codec: "unknown", part: "empty", bodyEnd: 0 } },
  { name: "MP3", bytes: "2F FF FB 90 64", tag: { codec: "mp3", part: "frame", bodyOffset: 1 } },
  { name: "MP3 at 8 kHz", bytes: "E2 FF FB", tag: { codec: "mp3", part: "frame" } },
  { name: "MP3 without a body", bytes: "2F", tag: { codec: "mp3", part: "empty" } },
  { name: "Speex", bytes: "B2 01", tag: { codec: "speex", part: "frame" } },
  { name: "G.711 µ-law", bytes: "82 01", tag: { codec: "g711", part: "frame" } },
  { name: "PCM", bytes: "3F 01 00", tag: { codec: "pcm", part: "frame" } },
  { name: "ADPCM", bytes: "1F 01 00", tag: { codec: "adpcm", part: "frame" } },
  { name: "Nellymoser", bytes: "62 01 00", tag: { codec: "nellymoser", part: "frame" } },
  { name: "Opus by audio format 13", bytes: "DF 01 00", tag: { codec: "opus", part: "frame" } },
  { name: "reserved audio format", bytes: "CF 01", tag: { codec: "unknown", part: "empty" } },
  {
    name: "Opus SequenceStart",
    bytes: "90 4F707573 4F70757348656164",
    tag: { codec: "opus", form: "enhanced", part: "config", bodyOffset: 5 },
  },
  {
    name: "Opus SequenceStart without OpusHead",
    bytes: "90 4F707573",
    tag: { codec: "opus", part: "config", bodyEnd: 5 },
  },
  { name: "Opus frame", bytes: "91 4F707573 FC", tag: { codec: "opus", part: "frame", bodyOffset: 5 } },
  { name: "empty Opus frame", bytes: "91 4F707573", tag: { codec: "opus", part: "empty" } },
  { name: "FLAC SequenceStart", bytes: "90 664C6143 664C6143", tag: { codec: "flac", part: "config" } },
  { name: "FLAC SequenceStart without STREAMINFO", bytes: "90 664C6143", tag: { codec: "flac", part: "empty" } },
  { name: "AC-3 frame", bytes: "91 61632D33 0B77", tag: { codec: "ac3", part: "frame" } },
  { name: "E-AC-3 SequenceStart", bytes: "90 65632D33", tag: { codec: "eac3", part: "config" } },
  { name: "MP3 by FourCC", bytes: "91 2E6D7033 FFFB", tag: { codec: "mp3", part: "frame" } },
  {
    name: "AAC by FourCC, configuration",
    bytes: "90 6D703461 1210",
    tag: { codec: "aac", form: "enhanced", part: "config" },
  },
  { name: "AAC by FourCC, empty configuration", bytes: "90 6D703461", tag: { codec: "aac", part: "empty" } },
  {
    name: "AAC by FourCC after ADTS",
    bytes: `91 6D703461 ${ADTS} ${SILENCE}`,
    tag: { codec: "aac", part: "frame", hasAdts: true },
  },
  { name: "SequenceEnd", bytes: "92 6D703461", tag: { codec: "aac", part: "end" } },
  { name: "MultichannelConfig", bytes: "94 6D703461 01 06 0000003F", tag: { codec: "aac", part: "multichannel" } },
  {
    name: "AAC as Multitrack OneTrack, track 1",
    bytes: `95 01 6D703461 01 ${SILENCE}`,
    tag: { codec: "aac", part: "frame", trackId: 1, bodyOffset: 7 },
  },
  {
    name: "Multitrack configuration of track 1",
    bytes: "95 00 6D703461 01 1190",
    tag: { codec: "aac", part: "config", trackId: 1 },
  },
  {
    name: "ManyTracks",
    bytes: "95 11 4F707573 00 000001 FC 01 000001 FC",
    tag: { codec: "opus", part: "frame", trackId: 0, bodyEnd: 11 },
  },
  {
    name: "ModEx before a frame",
    bytes: "97 00 AA 01 4F707573 FC",
    tag: { codec: "opus", part: "frame", bodyOffset: 8 },
  },
  { name: "reserved packet type", bytes: "93 4F707573 FC", tag: { codec: "opus", part: "empty" } },
  { name: "cut inside the FourCC", bytes: "90 4F7075", tag: { codec: "unknown", part: "empty" } },
  { name: "Multitrack inside Multitrack", bytes: "95 05 6D703461 01 11", tag: { codec: "unknown", part: "empty" } },
];

test.each(rows)("an audio message is classified: $name", ({ bytes, tag }) => {
  expect(classifyAudio(hex(bytes))).toMatchObject({ trackId: 0, hasAdts: false, ...tag });
});

test.each([ADTS, ADTS_CHECKSUM])("an ADTS header (%s) is removed from a frame", (header) => {
  expect(stripAdts(hex(`AF 01 ${header} ${SILENCE}`))).toStrictEqual(hex(`AF 01 ${SILENCE}`));
});

test("an ADTS header is removed from a frame with a FourCC too", () => {
  expect(stripAdts(hex(`91 6D703461 ${ADTS} ${SILENCE}`))).toStrictEqual(hex(`91 6D703461 ${SILENCE}`));
});

test("of two ADTS frames in one message the first is kept", () => {
  expect(stripAdts(hex(`AF 01 ${ADTS} ${SILENCE} ${ADTS} ${SILENCE}`))).toStrictEqual(hex(`AF 01 ${SILENCE}`));
});

test.each([
  { name: "a frame without ADTS", bytes: `AF 01 ${SILENCE}` },
  { name: "an ADTS header longer than the message", bytes: `AF 01 ${ADTS}` },
  { name: "an MPEG layer other than 0", bytes: "AF 01 FF FB 90 64 00 00 00 00 00 00" },
  { name: "a configuration", bytes: "AF 00 FF F1 50 80 02 1F FC 00" },
  { name: "MP3", bytes: `2F ${ADTS} ${SILENCE}` },
  { name: "nothing", bytes: "" },
])("a message without an ADTS header stays the same buffer: $name", ({ bytes }) => {
  const payload = hex(bytes);
  expect(stripAdts(payload)).toBe(payload);
});

test("no bytes make the classifier throw or point outside the message", () => {
  const heads = fc.constantFrom("", "AF00", "AF01", "AF01FFF1", "90", "95", "9511", "9521", "97", "916D703461FFF1");
  fc.assert(
    fc.property(heads, fc.uint8Array({ maxLength: 64 }), (head, tail) => {
      const payload = Buffer.concat([hex(head), tail]);
      const tag = classifyAudio(payload);
      expect(tag.bodyOffset).toBeLessThanOrEqual(tag.bodyEnd);
      expect(tag.bodyEnd).toBeLessThanOrEqual(payload.length);
      expect(stripAdts(payload).length < payload.length).toBe(tag.hasAdts);
    }),
    { numRuns: 2_000 },
  );
});
