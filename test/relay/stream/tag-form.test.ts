import { expect, test } from "vitest";
import { audioInForm, videoInForm } from "../../../src/relay/stream/slate/tag-form.ts";

const bytes = (hex: string): Buffer => Buffer.from(hex.replaceAll(" ", ""), "hex");

test.each([
  { name: "a header of HEVC", legacy: "1c00 000000 01020304", enhanced: "90 68766331 01020304" },
  { name: "a keyframe of HEVC", legacy: "1c01 000000 0000000126", enhanced: "93 68766331 0000000126" },
  { name: "a reordered frame of HEVC", legacy: "2c01 000028 0000000102", enhanced: "a1 68766331 000028 0000000102" },
  {
    name: "a frame of H.264 shown before its time",
    legacy: "2701 fffff6 0000000141",
    enhanced: "a1 61766331 fffff6 0000000141",
  },
  { name: "a keyframe of AV1", legacy: "1d01 000000 12000a01", enhanced: "93 61763031 12000a01" },
])("$name has both forms", ({ legacy, enhanced }) => {
  expect(videoInForm(bytes(legacy), "enhanced")).toEqual(bytes(enhanced));
  expect(videoInForm(bytes(enhanced), "legacy")).toEqual(bytes(legacy));
  const own = bytes(enhanced);
  expect(videoInForm(own, "enhanced")).toBe(own);
});

test.each([
  { name: "a header of AAC", legacy: "af00 1190", enhanced: "90 6d703461 1190" },
  { name: "a frame of AAC", legacy: "af01 2149", enhanced: "91 6d703461 2149" },
  { name: "a frame of MP3", legacy: "2f fffb9064", enhanced: "91 2e6d7033 fffb9064" },
])("$name has both forms", ({ legacy, enhanced }) => {
  expect(audioInForm(bytes(legacy), "enhanced")).toEqual(bytes(enhanced));
  expect(audioInForm(bytes(enhanced), "legacy")).toEqual(bytes(legacy));
});

test("what FLV's own table has no number for has no legacy form", () => {
  expect(audioInForm(bytes("91 4f707573 fc00"), "legacy")).toBeUndefined();
  expect(videoInForm(bytes("91 76703039 820001"), "legacy")).toBeUndefined();
});
