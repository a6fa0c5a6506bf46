import fc from "fast-check";
import { expect, test } from "vitest";
import { AMF0_LIMITS, decodeAmf0 } from "../../../src/protocol/amf0/decode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import {
  encodeTargetMetadata,
  readMetadata,
  rewriteMetadata,
  synthesiseMetadata,
} from "../../../src/protocol/flv/metadata.ts";
import { hex } from "../../support/streams/hex.ts";

const entries = (record: Readonly<Record<string, Amf0Value>>): ReadonlyMap<string, Amf0Value> =>
  new Map(Object.entries(record));

/** What OBS 30 sends, in its order. */
const OBS = {
  duration: 0,
  fileSize: 0,
  width: 1920,
  height: 1080,
  videocodecid: 7,
  videodatarate: 6000,
  framerate: 60,
  audiocodecid: 10,
  audiodatarate: 160,
  audiosamplerate: 48_000,
  audiosamplesize: 16,
  audiochannels: 2,
  stereo: true,
  "2.1": false,
  "3.1": false,
  "4.0": false,
  "4.1": false,
  "5.1": false,
  "7.1": false,
  encoder: "obs-output module (libobs version 30.0.2)",
};

const OBS_KEPT = {
  width: 1920,
  height: 1080,
  videocodecid: 7,
  videodatarate: 6000,
  framerate: 60,
  audiocodecid: 10,
  audiodatarate: 160,
  audiosamplerate: 48_000,
  audiosamplesize: 16,
  audiochannels: 2,
  stereo: true,
  encoder: "obs-output module (libobs version 30.0.2)",
};

test.each([
  { name: "wrapped, as OBS and FFmpeg send it", values: ["@setDataFrame", "onMetaData", amf0EcmaArray({ width: 1 })] },
  { name: "wrapped, as an object", values: ["@setDataFrame", "onMetaData", amf0Object({ width: 1 })] },
  { name: "wrapped twice", values: ["@setDataFrame", "@setDataFrame", "onMetaData", amf0EcmaArray({ width: 1 })] },
  { name: "bare, as some cameras send it", values: ["onMetaData", amf0Object({ width: 1 })] },
])("metadata is recognised: $name", ({ values }) => {
  expect(readMetadata(values)).toStrictEqual({ kind: "metadata", entries: entries({ width: 1 }) });
});

test("metadata without properties is empty metadata", () => {
  expect(readMetadata(["@setDataFrame", "onMetaData"])).toStrictEqual({ kind: "metadata", entries: new Map() });
  expect(readMetadata(["onMetaData", null])).toStrictEqual({ kind: "metadata", entries: new Map() });
});

test.each([[["@clearDataFrame", "onMetaData"]], [["@clearDataFrame"]]])("%j clears the metadata", (values) => {
  expect(readMetadata(values)).toStrictEqual({ kind: "clear" });
});

test.each([
  [[]],
  [["@setDataFrame"]],
  [["@setDataFrame", "onTextData", amf0Object({ text: "x" })]],
  [["onTextData", amf0Object({ text: "x" })]],
  [["onCuePoint", amf0Object({})]],
  [["|RtmpSampleAccess", true, true]],
  [["onStatus", amf0Object({ code: "NetStream.Data.Start" })]],
  [[1, "onMetaData"]],
])("%j is other data", (values) => {
  expect(readMetadata(values)).toStrictEqual({ kind: "other" });
});

test("the properties that platforms read are kept of OBS's metadata, in OBS's order", () => {
  expect([...rewriteMetadata(entries(OBS))]).toStrictEqual(Object.entries(OBS_KEPT));
});

test("properties come out in OBS's order, whatever the encoder's", () => {
  const reversed = entries(Object.fromEntries(Object.entries(OBS).reverse()));
  expect([...rewriteMetadata(reversed)]).toStrictEqual(Object.entries(OBS_KEPT));
});

test.each([
  ["duration", 3_600],
  ["filesize", 1],
  ["keyframes", amf0Object({ times: [0, 1], filepositions: [0, 1] })],
  ["latitude", 37.5],
  ["creationdate", "2026-01-01"],
  ["Width", 640],
  ["__proto__", 1],
  ["width", Number.NaN],
  ["width", Number.POSITIVE_INFINITY],
  ["width", null],
  ["width", amf0Object({})],
  ["encoder", "e".repeat(257)],
  ["videoTrackIdInfoMap", "text"],
  ["videoTrackIdInfoMap", amf0Object({})],
  ["videoTrackIdInfoMap", amf0Object({ "1": 5 })],
])("the property %s = %j is left out", (name, value) => {
  expect(rewriteMetadata(new Map<string, Amf0Value>([[name, value]])).size).toBe(0);
});

test("a codec named in words, as by XSplit, is kept", () => {
  expect([...rewriteMetadata(entries({ videocodecid: "avc1" }))]).toStrictEqual([["videocodecid", "avc1"]]);
});

test("the descriptions of further tracks are kept, their plain properties only", () => {
  const map = amf0Object({
    "1": amf0Object({ width: 1280, height: 720, codec: "avc1", secret: amf0Object({}), bad: Number.NaN }),
  });
  const kept = rewriteMetadata(entries({ encoder: "x", videoTrackIdInfoMap: map, audioTrackIdInfoMap: map }));
  const plain = amf0Object({ "1": amf0Object({ width: 1280, height: 720, codec: "avc1" }) });
  expect([...kept]).toStrictEqual([
    ["encoder", "x"],
    ["videoTrackIdInfoMap", plain],
    ["audioTrackIdInfoMap", plain],
  ]);
});

test("track descriptions that would make the metadata longer than 16 KiB are left out", () => {
  const track = amf0Object(
    Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`p${index}`, "v".repeat(256)])),
  );
  const map = amf0Object({ "1": track, "2": track, "3": track });
  expect([...rewriteMetadata(entries({ width: 1, videoTrackIdInfoMap: map }))]).toStrictEqual([["width", 1]]);
});

test("metadata for a target is an ECMA array with its true count, after @setDataFrame", () => {
  expect(encodeTargetMetadata(entries({ width: 640, stereo: true })).toString("hex")).toBe(
    hex(
      "02000d 40736574446174614672616d65 02000a 6f6e4d65746144617461 08 00000002" +
        " 0005 7769647468 00 4084000000000000 0006 73746572656f 01 01 000009",
    ).toString("hex"),
  );
});

test("the metadata that a target gets reads back as the metadata it was made from", () => {
  const value = fc.oneof(fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.string());
  const names = fc.constantFrom("width", "encoder", "stereo", "location", "videocodecid", "keyframes");
  fc.assert(
    fc.property(fc.array(fc.tuple(names, value)), (pairs) => {
      const kept = rewriteMetadata(new Map<string, Amf0Value>(pairs));
      const decoded = readMetadata(decodeAmf0(encodeTargetMetadata(kept), AMF0_LIMITS));
      expect(decoded).toEqual({ kind: "metadata", entries: kept });
      expect(rewriteMetadata(kept)).toEqual(kept);
    }),
  );
});

const AVC = hex("17 00 000000 0142c01effe100196742c01ed900a02ff97011000003000100000300320f162e4801000568cb83cb20");

/** What a target would read. */
function read(payload: Buffer): [string, Amf0Value][] {
  const data = readMetadata(decodeAmf0(payload, AMF0_LIMITS));
  return data.kind === "metadata" ? [...data.entries] : [];
}

test("metadata is made from the sequence headers where the encoder sent none", () => {
  expect(read(synthesiseMetadata({ videoConfig: AVC, audioConfig: hex("AF 00 12 08") }))).toStrictEqual([
    ["width", 640],
    ["height", 360],
    ["videocodecid", 7],
    ["framerate", 25],
    ["audiocodecid", 10],
    ["audiosamplerate", 44_100],
    ["audiosamplesize", 16],
    ["audiochannels", 1],
    ["stereo", false],
  ]);
});

test("codecs without a legacy id are named by their FourCC", () => {
  const configs = { videoConfig: hex("90 68766331 01"), audioConfig: hex("90 4F707573") };
  expect(read(synthesiseMetadata(configs))).toStrictEqual([
    ["videocodecid", 1_752_589_105],
    ["audiocodecid", 1_332_770_163],
  ]);
});

test("unreadable sequence headers leave only the certain properties", () => {
  const configs = { videoConfig: hex("17 00 000000 02"), audioConfig: hex("AF 00 16 90") };
  expect(read(synthesiseMetadata(configs))).toStrictEqual([
    ["videocodecid", 7],
    ["audiocodecid", 10],
  ]);
  expect(read(synthesiseMetadata({}))).toStrictEqual([]);
  expect(read(synthesiseMetadata({ videoConfig: hex("17 01 000000 0000000165") }))).toStrictEqual([]);
});
