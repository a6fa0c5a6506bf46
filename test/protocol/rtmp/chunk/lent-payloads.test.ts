import { expect, test, vi } from "vitest";
import { ChunkReader } from "../../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import { PayloadSlab } from "../../../../src/protocol/rtmp/chunk/payload-slab.ts";
import { LIMITS_PUBLISHING } from "../../../../src/protocol/rtmp/chunk/reader-limits.ts";
import type { Message } from "../../../../src/protocol/rtmp/message.ts";
import { seededRandom } from "../../../support/stages/seeded-random.ts";
import { readParts, setChunkSize } from "./chunk-support.ts";

/** A message, most of them short, some longer than the slab. */
function message(random: () => number, index: number) {
  const length = Math.floor(random() ** 3 * 1_500_000) + 1;
  // 251 does not divide any chunk's length: a piece in the wrong place shows.
  const payload = Buffer.alloc(length, Buffer.from(Array.from({ length: 251 }, (_, at) => (at * 31 + index) % 251)));
  return { type: 9, timestamp: index * 40, streamId: 1, payload };
}

test("lent payloads are complete, whatever their size and wherever inputs are cut, while others use the slab", () => {
  for (let seed = 1; seed <= 4; seed += 1) {
    const random = seededRandom(seed);
    const sent = Array.from({ length: 8 }, (_, index) => message(random, index));
    const bytes = Buffer.concat([setChunkSize(4_096), ...sent.map((each) => encodeMessage(6, each, 4_096))]);
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = Math.floor(random() ** 2 * 700_000) + 1;
      parts.push(bytes.subarray(at, at + length));
      at += length;
    }
    const { messages } = readParts(parts, LIMITS_PUBLISHING, 1024 * 1024);
    expect(messages.slice(1).map(({ payload }) => payload.length)).toEqual(sent.map(({ payload }) => payload.length));
    for (const [index, { payload }] of sent.entries()) {
      expect(messages[index + 1]?.payload.equals(payload), `seed ${seed}, message ${index}`).toBe(true);
    }
  }
});

test("a reader that lends payloads from now on completes the unfinished message, with its own length", () => {
  const slab = new PayloadSlab();
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  reader.lendPayloads(slab);
  const sent = { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(100, "ab") };
  const bytes = encodeMessage(6, sent, 128);
  const came: Message[] = [];
  reader.receive(bytes.subarray(0, 50), (each) => came.push(each));
  reader.lendPayloads(slab);
  reader.receive(bytes.subarray(50), (each) => came.push(each));
  expect(came).toEqual([sent]);
});

test("memory for unfinished messages is shared by all readers: as much as is unfinished at one time", () => {
  const slab = new PayloadSlab();
  const bytes = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(10_000, "ab") }, 128);
  const allocated = vi.spyOn(Buffer, "allocUnsafeSlow");
  for (let count = 0; count < 20; count += 1) {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    reader.lendPayloads(slab);
    const came: Message[] = [];
    reader.receive(bytes.subarray(0, 9_000), (each) => came.push(each));
    reader.receive(bytes.subarray(9_000), (each) => came.push(each));
    expect(came.map(({ payload }) => payload.equals(Buffer.alloc(10_000, "ab")))).toEqual([true]);
  }
  expect(allocated.mock.calls).toEqual([[32_768]]);
  allocated.mockRestore();
});

test("a piece goes back to its size, large ones and too many are left to the garbage collector", () => {
  const slab = new PayloadSlab();
  const [small, large] = [slab.takePiece(4_097), slab.takePiece(2_000_000)];
  expect([small.length, large.length]).toEqual([8_192, 2_000_000]);
  slab.returnPiece(small);
  slab.returnPiece(large);
  slab.returnPiece(Buffer.alloc(5_000));
  expect(slab.takePiece(8_192)).toBe(small);
  expect(slab.takePiece(2_000_000)).not.toBe(large);
  const many = Array.from({ length: 3 }, () => slab.takePiece(1024 * 1024));
  for (const piece of many) slab.returnPiece(piece);
  const again = Array.from({ length: 3 }, () => slab.takePiece(1024 * 1024));
  expect(again.filter((piece) => many.includes(piece))).toHaveLength(2);
});

test("a long message that comes bit by bit is not copied for each bit, except its first ones", () => {
  let lentCount = 0;
  class CountedSlab extends PayloadSlab {
    override lend(length: number) {
      lentCount += 1;
      return super.lend(length);
    }
  }
  const reader = new ChunkReader(LIMITS_PUBLISHING);
  reader.lendPayloads(new CountedSlab());
  const payload = Buffer.alloc(512 * 1024, "a long message");
  const bytes = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload }, 128);
  const came: Message[] = [];
  for (let at = 0; at < bytes.length; at += 1024) {
    reader.receive(bytes.subarray(at, at + 1024), (each) => came.push(each));
  }
  expect(came.map((each) => each.payload.equals(payload))).toEqual([true]);
  expect(lentCount).toBeGreaterThan(1);
  expect(lentCount).toBeLessThan(100);
});
