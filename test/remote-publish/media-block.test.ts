import fc from "fast-check";
import { expect, test } from "vitest";
import type { MediaMessage } from "../../src/relay/stream/media-message.ts";
import { BlockWriter, readBlock } from "../../src/remote-publish/media-block.ts";

const messages: fc.Arbitrary<MediaMessage[]> = fc.array(
  fc.record({
    kind: fc.constantFrom("audio", "video", "data"),
    timestamp: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    payload: fc.integer({ min: 0, max: 40_000 }).map((bytes) => Buffer.alloc(bytes, bytes)),
  }),
);

test("blocks return the messages that went in, one block after the other", () => {
  fc.assert(
    fc.property(fc.array(messages, { maxLength: 4 }), (blocks) => {
      const writer = new BlockWriter();
      for (const sent of blocks) {
        for (const message of sent) writer.add(message);
        const length = sent.reduce((sum, message) => sum + 9 + message.payload.length, 0);
        expect(writer.length).toBe(length);
        const block = writer.take();
        expect([readBlock(block), block.length, writer.length]).toEqual([sent, length, 0]);
        writer.reuse(block.buffer);
      }
    }),
  );
});

test("a returned block is written again, unless it is too small for the stream by now, or too large to keep", () => {
  const writer = new BlockWriter();
  const gather = (bytes: number): ArrayBuffer => {
    writer.add({ kind: "video", timestamp: 0, payload: Buffer.alloc(bytes, 1) });
    return writer.take().buffer;
  };
  const small = gather(1_000);
  writer.reuse(small);
  expect(gather(2_000)).toBe(small);
  const large = gather(100_000);
  writer.reuse(small);
  expect(gather(1_000)).not.toBe(small);
  const [first, second, third] = [gather(1_000), gather(1_000), gather(1_000)];
  for (const buffer of [first, second, third, large]) writer.reuse(buffer);
  expect([gather(1_000), gather(1_000)]).toEqual([second, first]);
  expect([first, second, third, large]).not.toContain(gather(1_000));
  const huge = gather(3 * 1024 * 1024);
  writer.reuse(huge);
  expect(gather(1_000)).not.toBe(huge);
});

test("a payload is lent: its memory may change after it was added", () => {
  const shared = Buffer.from("one, two");
  const writer = new BlockWriter();
  writer.add({ kind: "audio", timestamp: 1, payload: shared.subarray(5) });
  shared.fill(0);
  expect(readBlock(writer.take())[0]?.payload.toString()).toBe("two");
});
