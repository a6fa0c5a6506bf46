import { expect, test } from "vitest";
import { keyframeFile } from "../../src/relay/stream/keyframe-file.ts";
import { readKeyframe } from "../../web/src/parts/video/keyframe-file.ts";
import { AVC_CONFIG, avcFrame } from "../support/streams/media-messages.ts";

/** What the browser reads of the file that the server makes. */
function read(config: string | Buffer, key: string | Buffer) {
  const [header, frame] = [config, key].map((each) => Buffer.from(each as string, "hex"));
  const file = keyframeFile(frame as Buffer, header, 1);
  if (file.found !== "keyframe") throw new Error(file.found);
  const { name, decoder, data } = readKeyframe(file.bytes);
  return { name, codec: decoder?.codec, data: Buffer.from(data).toString("hex") };
}

test("H.264: the codec string of its record, and the access unit without the tag's header", () => {
  const key = avcFrame(true, 1);
  const { name, codec, data } = read(AVC_CONFIG.toString("hex"), key.toString("hex"));
  expect([name, codec]).toEqual(["H.264", `avc1.${AVC_CONFIG.toString("hex", 6, 9).toUpperCase()}`]);
  expect(data).toBe(key.toString("hex", 5));
});

test.each([
  // Main, level 3.1: ISO/IEC 14496-15 names it so. Main 10 in high tier, with two constraint bytes.
  { record: "0101600000009000000000005d", codec: "hvc1.1.6.L93.90" },
  { record: "0122200000009008000000007b", codec: "hvc1.2.4.H123.90.8" },
])("HEVC: $codec", ({ record, codec }) => {
  const found = read(`9068766331${record}`, "9168766331000000000000022601");
  expect(found).toEqual({ name: "HEVC", codec, data: "000000022601" });
});

test("HEVC without a composition time has its data right behind the codec", () => {
  expect(read("90687663310101600000009000000000005d", "9368766331000000022601").data).toBe("000000022601");
});

test.each([
  { record: "81084c00", codec: "av01.0.08M.10" },
  { record: "812d8c00", codec: "av01.1.13H.08" },
])("AV1: $codec, with the sequence header before the frame", ({ record, codec }) => {
  expect(read(`9061763031${record}0a01`, "91617630311200")).toEqual({ name: "AV1", codec, data: "0a011200" });
});

test("other codecs, and H.264 without a header, are not for a browser's decoder", () => {
  expect(read("9076703039ff", "917670303900")).toMatchObject({ name: "vp09", codec: undefined });
  const file = keyframeFile(avcFrame(true, 1), undefined, 1);
  if (file.found !== "keyframe") throw new Error(file.found);
  expect(readKeyframe(file.bytes)).toMatchObject({ name: "H.264", decoder: undefined });
});

test("bytes that are no keyframe are refused", () => {
  expect(() => readKeyframe(new Uint8Array(13))).toThrow("no keyframe in the file");
  expect(() => readKeyframe(new Uint8Array())).toThrow("no keyframe in the file");
});
