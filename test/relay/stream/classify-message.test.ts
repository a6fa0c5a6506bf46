import { expect, test } from "vitest";
import { encodeAmf0 } from "../../../src/protocol/amf0/encode.ts";
import { type Amf0Value, amf0EcmaArray, amf0Object } from "../../../src/protocol/amf0/value.ts";
import { encodeTargetMetadata } from "../../../src/protocol/flv/metadata.ts";
import { classifyMessage } from "../../../src/relay/stream/classify-message.ts";
import { StreamMemory } from "../../../src/relay/stream/stream-memory.ts";

const KEPT = { width: 320, height: 180, videocodecid: 7, framerate: 25, audiocodecid: 10 };
const WANTED = encodeTargetMetadata(new Map(Object.entries(KEPT)));

const data = (values: readonly Amf0Value[]) => ({
  kind: "data" as const,
  timestamp: 0,
  payload: encodeAmf0(values),
});
const metadata = (entries: Readonly<Record<string, Amf0Value>>) =>
  data(["@setDataFrame", "onMetaData", amf0EcmaArray(entries)]);
const upTo = (count: number) => Array.from({ length: count }, (_, index) => index);
const index = (count: number): Amf0Value => amf0Object({ times: upTo(count), filepositions: upTo(count) });

test.each([
  { name: "of ten minutes", count: 600 },
  { name: "of three hours", count: 10_800 },
  { name: "as long as a message can be", count: 58_000 },
])("a recording's metadata with an index $name keeps the fields that matter", ({ count }) => {
  const { width, height, ...others } = KEPT;
  const message = metadata({ duration: 1, width, height, keyframes: index(count), ...others });
  expect(classifyMessage(message, new StreamMemory())).toEqual({
    what: "metadata",
    payload: WANTED,
    announcesVideo: true,
  });
});

test("metadata with more properties than are read keeps the first ones", () => {
  const others = Object.fromEntries(upTo(5_000).map((number) => [`p${number}`, number]));
  expect(classifyMessage(metadata({ ...KEPT, ...others }), new StreamMemory())).toEqual({
    what: "metadata",
    payload: WANTED,
    announcesVideo: true,
  });
});

test.each<{ name: string; value: Amf0Value }>([
  { name: "a text of half a megabyte", value: "x".repeat(500_000) },
  {
    name: "objects of every kind",
    value: [
      amf0Object({ a: [null, true, "text"] }),
      amf0EcmaArray({ b: amf0Object({}) }),
      { kind: "date", milliseconds: 1, timezone: 0 },
    ],
  },
  { name: "two hundred thousand empty values", value: upTo(200_000).map(() => null) },
])("metadata with $name among its properties keeps the fields before it", ({ value }) => {
  expect(classifyMessage(metadata({ ...KEPT, extra: value }), new StreamMemory())).toEqual({
    what: "metadata",
    payload: WANTED,
    announcesVideo: true,
  });
});

test("metadata that is cut short counts as none", () => {
  const { payload, ...message } = metadata({ ...KEPT, keyframes: index(10) });
  const cut = { ...message, payload: payload.subarray(0, payload.length - 30) };
  expect(classifyMessage(cut, new StreamMemory())).toEqual({ what: "ignored" });
});

test.each<{ name: string; values: readonly Amf0Value[] }>([
  { name: "without properties", values: ["@setDataFrame", "onMetaData", amf0EcmaArray({})] },
  { name: "in a strict array", values: ["@setDataFrame", "onMetaData", [amf0Object(KEPT)]] },
  { name: "with nothing that is sent on", values: ["onMetaData", amf0EcmaArray({ duration: 0, device: "camera" })] },
  { name: "that are absent", values: ["@setDataFrame", "onMetaData"] },
])("metadata $name count as none: those made from the headers say more", ({ values }) => {
  expect(classifyMessage(data(values), new StreamMemory())).toEqual({ what: "ignored" });
});
