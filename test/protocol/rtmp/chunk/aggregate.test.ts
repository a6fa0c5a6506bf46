import fc from "fast-check";
import { expect, test } from "vitest";
import { splitAggregate } from "../../../../src/protocol/rtmp/chunk/aggregate.ts";
import { type Message, MessageType } from "../../../../src/protocol/rtmp/message.ts";
import { hex } from "../../../support/streams/hex.ts";

const aggregate = (payload: Buffer, timestamp = 1_000): Message => ({
  type: MessageType.Aggregate,
  timestamp,
  streamId: 1,
  payload,
});

// type, size, timestamp, its high byte, message stream, data, back pointer
const audioTag = "08 000003 0001F4 00 000009 AF01AA 0000000E";
const videoTag = "09 000005 000208 00 000000 2701000000 00000010";

test("an aggregate's messages keep their distance and belong to the aggregate's message stream", () => {
  expect(splitAggregate(aggregate(hex(audioTag + videoTag)))).toEqual([
    { type: 8, timestamp: 1_000, streamId: 1, payload: hex("AF01AA") },
    { type: 9, timestamp: 1_020, streamId: 1, payload: hex("2701000000") },
  ]);
});

test("the high byte of a tag's timestamp counts, and times wrap at 32 bits", () => {
  const tags = hex("08 000000 FFFFFF 7F 000000 0000000B" + "08 000000 000009 80 000000 0000000B");
  expect(splitAggregate(aggregate(tags, 0xffff_fffc)).map(({ timestamp }) => timestamp)).toEqual([0xffff_fffc, 6]);
});

test("back pointers may be wrong, and the last one missing", () => {
  const tags = hex(`${audioTag.slice(0, -8)}FFFFFFFF${videoTag.slice(0, -8)}`);
  expect(splitAggregate(aggregate(tags)).map(({ type }) => type)).toEqual([8, 9]);
});

test("an empty aggregate has no messages, and one inside another is dropped", () => {
  expect(splitAggregate(aggregate(Buffer.alloc(0)))).toEqual([]);
  const inner = "16 000003 0001F4 00 000000 AABBCC 0000000E";
  expect(splitAggregate(aggregate(hex(inner + videoTag))).map(({ type, timestamp }) => ({ type, timestamp }))).toEqual([
    { type: 9, timestamp: 1_020 },
  ]);
});

test.each([
  { name: "an inner size beyond the end", bytes: audioTag.replace("000003", "000013") },
  { name: "an inner size of 16 MiB", bytes: audioTag.replace("000003", "FFFFFF") },
  { name: "a tag header cut short", bytes: "09 000005 000208" },
])("an aggregate with $name is read up to there", ({ bytes }) => {
  const tags = hex(videoTag + bytes);
  expect(splitAggregate(aggregate(tags))).toEqual(splitAggregate(aggregate(hex(videoTag))));
});

test("1024 messages of an aggregate are read and not one more", () => {
  const empty = hex("08 000000 000000 00 000000 0000000B");
  expect(splitAggregate(aggregate(Buffer.concat(Array.from({ length: 1_024 }, () => empty))))).toHaveLength(1_024);
  const oneMore = aggregate(Buffer.concat(Array.from({ length: 1_025 }, () => empty)));
  expect(splitAggregate(oneMore)).toHaveLength(1_024);
});

test("the messages of an aggregate hold no more bytes than there are", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 80 }), fc.nat({ max: 35 }), (noise, at) => {
      const bytes = Buffer.concat([hex(audioTag + videoTag), Buffer.from(noise)]);
      bytes.set(noise.subarray(0, 3), at);
      const messages = splitAggregate(aggregate(bytes));
      expect(messages.reduce((sum, { payload }) => sum + payload.length, 0)).toBeLessThanOrEqual(bytes.length);
    }),
  );
});
