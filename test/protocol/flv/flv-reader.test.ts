import { expect, test } from "vitest";
import { FlvReader } from "../../../src/protocol/flv/flv-reader.ts";
import { encodeFlvTag, FLV_FILE_START, type FlvTag } from "../../../src/protocol/flv/flv-tag.ts";

const TAGS: readonly FlvTag[] = [
  { type: 18, timestamp: 0, payload: Buffer.from("data") },
  { type: 9, timestamp: 0x1_23_45_67, payload: Buffer.alloc(300, 7) },
  { type: 8, timestamp: 2 ** 32 - 1, payload: Buffer.alloc(0) },
];
const FILE = Buffer.concat([FLV_FILE_START, ...TAGS.map(encodeFlvTag)]);

test.each([1, 2, 7, 13, 64, FILE.length])("tags come whole from pieces of %i bytes", (size) => {
  const reader = new FlvReader();
  const tags: FlvTag[] = [];
  for (let at = 0; at < FILE.length; at += size) tags.push(...reader.push(FILE.subarray(at, at + size)));
  expect(tags).toEqual(TAGS);
});

test.each([
  { name: "another signature", bytes: Buffer.alloc(13, "x"), message: "not an FLV stream" },
  { name: "a longer header", bytes: Buffer.from("464c56010500000fff00000000", "hex"), message: "another length" },
  {
    name: "a tag larger than any encoder's",
    bytes: Buffer.concat([FLV_FILE_START, Buffer.from("09ffffff00000000000000", "hex")]),
    message: "16777215 bytes",
  },
])("$name is refused", ({ bytes, message }) => {
  expect(() => new FlvReader().push(bytes)).toThrow(message);
});
