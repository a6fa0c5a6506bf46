import { describe, expect, test, vi } from "vitest";
import { ChunkReader } from "../../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import {
  LIMITS_BEFORE_PUBLISH,
  LIMITS_CLIENT,
  LIMITS_PUBLISHING,
} from "../../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { hex } from "../../../support/streams/hex.ts";
import { LIMITS_LENIENT, read, readParts, setChunkSize, singly, videoMessage } from "./chunk-support.ts";
import { videoPayload } from "./chunk-vectors.ts";

describe("limits", () => {
  const announce = (csid: number, length: number, type = 9): Buffer => {
    const header = hex(`0${csid.toString(16)} 000000 000000 00 01000000`);
    header.writeUIntBE(length, 4, 3);
    header.writeUInt8(type, 7);
    return header;
  };

  test.each([
    { name: "before publish a message of 64 KiB", limits: LIMITS_BEFORE_PUBLISH, type: 20, max: 65_536 },
    { name: "a target's message of 64 KiB", limits: LIMITS_CLIENT, type: 20, max: 65_536 },
    { name: "video of 8 MiB", limits: LIMITS_PUBLISHING, type: 9, max: 8_388_608 },
    { name: "an aggregate of 8 MiB", limits: LIMITS_PUBLISHING, type: 22, max: 8_388_608 },
    { name: "audio of 256 KiB", limits: LIMITS_PUBLISHING, type: 8, max: 262_144 },
    { name: "data of 1 MiB", limits: LIMITS_PUBLISHING, type: 18, max: 1_048_576 },
    { name: "commands of 64 KiB", limits: LIMITS_PUBLISHING, type: 20, max: 65_536 },
  ])("$name is accepted and one byte more is not, before any of it has come", ({ limits, type, max }) => {
    expect(read(announce(6, max, type), limits).fault).toBeUndefined();
    expect(read(announce(6, max + 1, type), limits).fault).toBe("message-too-long");
  });

  test("a header that only repeats its length is checked against the limit as well", () => {
    const bytes = Buffer.concat([
      setChunkSize(4_096),
      encodeMessage(4, { type: 8, timestamp: 0, streamId: 1, payload: Buffer.alloc(300) }, 4_096),
      hex("C4"),
    ]);
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    const lower = { ...LIMITS_PUBLISHING, messageBytesMax: () => 299 };
    const receive = () =>
      reader.receive(bytes, ({ type }) => {
        if (type === 8) reader.setLimits(lower);
      });
    expect(receive).toThrow(/^message-too-long/);
  });

  test("memory is allocated as bytes come, not as they are announced", () => {
    const allocate = vi.spyOn(Buffer, "allocUnsafe");
    try {
      const reader = new ChunkReader(LIMITS_PUBLISHING);
      reader.receive(Buffer.concat([setChunkSize(0xff_ff_ff), announce(6, 8_388_608)]), () => {});
      allocate.mockClear();
      const input = Buffer.alloc(65_536);
      let received = 0;
      while (received < 8_388_608 - input.length) {
        reader.receive(input, () => {});
        received += input.length;
        const sizes = allocate.mock.calls.map(([size]) => size);
        expect(Math.max(...sizes)).toBeLessThanOrEqual(2 * received);
      }
      expect(allocate.mock.calls.length).toBeLessThan(10);
    } finally {
      allocate.mockRestore();
    }
  });

  test("a message that is there as a whole costs one allocation of its length", () => {
    const bytes = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(50_000) }, 128);
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    const allocate = vi.spyOn(Buffer, "allocUnsafe");
    try {
      reader.receive(bytes, () => {});
      expect(allocate.mock.calls.map(([size]) => size)).toEqual([50_000]);
    } finally {
      allocate.mockRestore();
    }
  });

  test.each([
    { name: "before publish 8", limits: LIMITS_BEFORE_PUBLISH, max: 8 },
    { name: "a target 8", limits: LIMITS_CLIENT, max: 8 },
    { name: "an encoder 32", limits: LIMITS_PUBLISHING, max: 32 },
  ])("unfinished messages: $name", ({ limits, max }) => {
    const begin = (count: number): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, index) =>
          encodeMessage(3 + index, { type: 20, timestamp: 0, streamId: 0, payload: Buffer.alloc(200) }, 128).subarray(
            0,
            140,
          ),
        ),
      );
    expect(read(begin(max), limits).fault).toBeUndefined();
    expect(read(begin(max + 1), limits).fault).toBe("too-many-partial-messages");
    expect(read(begin(40), limits).fault).toBe("too-many-partial-messages");
  });

  test("unfinished messages: their bytes in all", () => {
    const begin = (csid: number): Buffer => Buffer.concat([announce(csid, 200), videoPayload.subarray(0, 128)]);
    const limits = { ...LIMITS_LENIENT, partialBytesMax: 300 };
    const finish = Buffer.concat([hex("C6"), videoPayload.subarray(128)]);
    expect(read(Buffer.concat([begin(6), begin(7)]), limits).fault).toBeUndefined();
    expect(read(Buffer.concat([begin(6), begin(7), begin(8)]), limits).fault).toBe("too-many-partial-messages");
    const enough = read(Buffer.concat([begin(6), finish, begin(7), begin(8)]), limits);
    expect(enough.fault).toBeUndefined();
    expect(enough.messages[0]?.payload).toEqual(videoPayload);
  });

  test("chunk streams that are remembered: 256, and 16 before publish", () => {
    const use = (count: number): Buffer =>
      Buffer.concat(
        Array.from({ length: count }, (_, index) =>
          encodeMessage(3 + index, { type: 8, timestamp: 0, streamId: 1, payload: hex("AF") }, 128),
        ),
      );
    expect(readParts([use(256)])).toMatchObject({ fault: undefined, messages: { length: 256 } });
    expect(readParts([use(257)])).toMatchObject({ fault: "too-many-partial-messages", messages: { length: 256 } });
    expect(readParts([use(16)], LIMITS_BEFORE_PUBLISH).fault).toBeUndefined();
    expect(readParts([use(17)], LIMITS_BEFORE_PUBLISH).fault).toBe("too-many-partial-messages");
  });

  test("limits that the receiver of a message sets count from the next header on", () => {
    const publish = encodeMessage(3, { type: 20, timestamp: 0, streamId: 0, payload: hex("05") }, 128);
    const large = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(70_000) }, 128);
    const reader = new ChunkReader(LIMITS_BEFORE_PUBLISH);
    const types: number[] = [];
    reader.receive(Buffer.concat([publish, large]), ({ type }) => {
      types.push(type);
      reader.setLimits(LIMITS_PUBLISHING);
    });
    expect(types).toEqual([20, 9]);
    expect(read(large, LIMITS_BEFORE_PUBLISH).fault).toBe("message-too-long");
  });
});

describe("the reader", () => {
  test("counts every byte it is given", () => {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    for (const part of singly(videoMessage)) reader.receive(part, () => {});
    reader.receive(Buffer.alloc(0), () => {});
    expect(reader.bytesReceived).toBe(200 + 13);
  });

  test("returns messages that came before an error, and the same error for ever after", () => {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    const types: number[] = [];
    const receive = (bytes: Buffer): unknown => {
      try {
        reader.receive(bytes, ({ type }) => types.push(type));
        return undefined;
      } catch (error) {
        return error;
      }
    };
    const error = receive(Buffer.concat([videoMessage, hex("C9"), videoMessage]));
    expect(error).toMatchObject({ name: "ProtocolError", fault: "no-previous-header" });
    expect(receive(videoMessage)).toBe(error);
    expect(receive(Buffer.alloc(0))).toBe(error);
    expect(types).toEqual([9]);
  });

  test("is broken also by an error of the callback that takes its messages", () => {
    const reader = new ChunkReader(LIMITS_PUBLISHING);
    const fail = (): never => {
      throw new Error("mine");
    };
    expect(() => reader.receive(videoMessage, fail)).toThrow("mine");
    expect(() => reader.receive(videoMessage, () => {})).toThrow("mine");
  });
});
