import { describe, expect, test } from "vitest";
import { ChunkReader } from "../../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import {
  LIMITS_BEFORE_PUBLISH,
  LIMITS_CLIENT,
  LIMITS_PUBLISHING,
} from "../../../../src/protocol/rtmp/chunk/reader-limits.ts";
import { encodeControl } from "../../../../src/protocol/rtmp/control.ts";
import type { Message } from "../../../../src/protocol/rtmp/message.ts";
import { hex } from "../../../support/streams/hex.ts";
import { LIMITS_LENIENT, read, readParts, setChunkSize, singly, videoMessage } from "./chunk-support.ts";
import { videoPayload, WIRE_VECTORS } from "./chunk-vectors.ts";

/** Timestamps of the messages, the same in one piece and byte by byte. */
function timestamps(...parts: (string | Buffer)[]): number[] {
  const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? hex(part) : part)));
  const whole = readParts([bytes]);
  expect(readParts(singly(bytes))).toEqual(whole);
  expect(whole.fault).toBeUndefined();
  return whole.messages.map(({ timestamp }) => timestamp);
}

const abort = (csid: number): Buffer => encodeMessage(2, encodeControl({ kind: "abort", csid }), 128);

test.each(WIRE_VECTORS)("$name is read", ({ chunkSize, message, bytes }) => {
  const { messages, fault } = read(Buffer.concat([setChunkSize(chunkSize), bytes]));
  expect(fault).toBeUndefined();
  expect(messages.slice(1)).toEqual([message]);
});

describe("headers", () => {
  test("each form leaves out what repeats", () => {
    const bytes = `06 000064 000002 09 01000000 2701
                   46 000028 000001 08 AF
                   86 000014 B0
                   C6 B1`;
    expect(read(bytes).messages).toEqual([
      { type: 9, timestamp: 100, streamId: 1, payload: hex("2701") },
      { type: 8, timestamp: 140, streamId: 1, payload: hex("AF") },
      { type: 8, timestamp: 160, streamId: 1, payload: hex("B0") },
      { type: 8, timestamp: 180, streamId: 1, payload: hex("B1") },
    ]);
  });

  test.each([
    { name: "0", time: "000000", expected: [0, 0, 0] },
    { name: "40, as FMLE means it", time: "000028", expected: [40, 80, 120] },
    { name: "5000", time: "001388", expected: [5_000, 10_000, 15_000] },
    { name: "5001, as nginx-rtmp means it", time: "001389", expected: [5_001, 5_001, 5_001] },
    { name: "1 000 000", time: "0F4240", expected: [1_000_000, 1_000_000, 1_000_000] },
  ])("fmt 3 after a fmt 0 with timestamp $name", ({ time, expected }) => {
    expect(timestamps(`04 ${time} 000001 08 01000000 AF C4 AF C4 AF`)).toEqual(expected);
  });

  test("a chunk stream may begin with fmt 1, as librtmp's pings do", () => {
    expect(read("42 000005 000006 04 0006 000003E8").messages).toEqual([
      { type: 4, timestamp: 5, streamId: 0, payload: hex("0006000003E8") },
    ]);
  });

  test.each(["86 000014 AF", "C6 AF", "C0 00 AF", "C1 0000 AF"])("a chunk stream may not begin with %s", (bytes) => {
    expect(read(bytes)).toEqual({ messages: [], fault: "no-previous-header" });
  });

  test("the short and the long form of one chunk stream id mean the same", () => {
    expect(timestamps("01 0000 000001 000001 08 01000000 AF 80 00 000002 AF")).toEqual([1, 3]);
  });

  test("messages without a payload are messages", () => {
    const { messages } = read("04 000001 000000 08 01000000 C4 46 000001 000000 09 06 000000 000000 14 00000000");
    expect(messages.map(({ type, payload }) => [type, payload.length])).toEqual([
      [8, 0],
      [8, 0],
      [9, 0],
      [20, 0],
    ]);
  });
});

describe("interleaving", () => {
  const video = hex("06 000000 0000C8 09 01000000");
  const audio = encodeMessage(4, { type: 8, timestamp: 10, streamId: 1, payload: hex("AF01AABB") }, 128);
  const [first, second] = [videoPayload.subarray(0, 128), videoPayload.subarray(128)];

  test("audio and control messages may come between the chunks of a video message", () => {
    const ping = encodeMessage(2, encodeControl({ kind: "ping-request", timestamp: 7 }), 128);
    const { messages } = read(Buffer.concat([video, first, audio, ping, hex("C6"), second]));
    expect(messages.map(({ type }) => type)).toEqual([8, 4, 9]);
    expect(messages[2]).toEqual({ type: 9, timestamp: 0, streamId: 1, payload: videoPayload });
  });

  test("two large messages on two chunk streams do not mix", () => {
    const other = Buffer.from(videoPayload).reverse();
    const { messages } = read(
      Buffer.concat([
        video,
        first,
        hex("07 000000 0000C8 09 01000000"),
        other.subarray(0, 128),
        hex("C6"),
        second,
        hex("C7"),
        other.subarray(128),
      ]),
    );
    expect(messages.map(({ payload }) => payload)).toEqual([videoPayload, other]);
  });

  test("a payload that was handed out stays unchanged, whatever comes next", () => {
    const reader = new ChunkReader(LIMITS_LENIENT);
    const payloads: Buffer[] = [];
    const input = Buffer.concat([audio, audio]);
    reader.receive(input, ({ payload }) => payloads.push(payload));
    input.fill(0);
    reader.receive(encodeMessage(4, { type: 8, timestamp: 20, streamId: 1, payload: hex("CCDDEEFF") }, 128), () => {});
    expect(payloads).toEqual([hex("AF01AABB"), hex("AF01AABB")]);
  });

  test("a header in the middle of a message continues it where it says the same", () => {
    for (const header of ["06 000000 0000C8 09 01000000", "46 000028 0000C8 09", "86 000028", "C6"]) {
      const { messages, fault } = read(Buffer.concat([video, first, hex(header), second, hex("C6"), first]));
      expect(fault).toBeUndefined();
      expect(messages).toEqual([{ type: 9, timestamp: 0, streamId: 1, payload: videoPayload }]);
    }
  });

  test.each([
    { name: "a longer length", header: "46 000000 FFFFFF 09" },
    { name: "a shorter length", header: "46 000000 000081 09" },
    { name: "another type", header: "46 000000 0000C8 08" },
    { name: "another message stream", header: "06 000000 0000C8 09 02000000" },
  ])("a header in the middle of a message with $name ends the connection", ({ header }) => {
    expect(read(Buffer.concat([video, first, hex(header), second]))).toEqual({ messages: [], fault: "header-changed" });
  });
});

describe("Set Chunk Size", () => {
  test("counts at once, also for the rest of messages begun before", () => {
    const bytes = Buffer.concat([
      hex("06 000000 0000C8 09 01000000"),
      videoPayload.subarray(0, 128),
      setChunkSize(50),
      hex("C6"),
      videoPayload.subarray(128, 178),
      hex("C6"),
      videoPayload.subarray(178),
    ]);
    expect(read(bytes).messages.at(-1)).toEqual({ type: 9, timestamp: 0, streamId: 1, payload: videoPayload });
  });

  test.each([1, 127, 128, 4_096, 65_536, 1_000_000, 0x7f_ff_ff_ff])(
    "%i is accepted where it is allowed",
    (chunkSize) => {
      const message: Message = { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(70_000, 7) };
      const bytes = Buffer.concat([setChunkSize(chunkSize), encodeMessage(6, message, chunkSize)]);
      const { messages, fault } = readParts([bytes]);
      expect(fault).toBeUndefined();
      expect(messages.map(({ type }) => type)).toEqual([1, 9]);
      expect(messages[1]?.payload.equals(message.payload)).toBe(true);
    },
  );

  test.each([0, 0x80_00_00_00, 0xff_ff_ff_ff])("%i is refused", (chunkSize) => {
    expect(read(setChunkSize(chunkSize))).toEqual({ messages: [], fault: "bad-chunk-size" });
  });

  test("encoders may not go below 128, targets may", () => {
    for (const limits of [LIMITS_BEFORE_PUBLISH, LIMITS_PUBLISHING]) {
      expect(read(setChunkSize(127), limits).fault).toBe("bad-chunk-size");
      expect(read(setChunkSize(128), limits).fault).toBeUndefined();
    }
    expect(read(setChunkSize(1), LIMITS_CLIENT).fault).toBeUndefined();
  });

  test("a message too short for a size is ignored", () => {
    const { messages, fault } = read(Buffer.concat([hex("02 000000 000003 01 00000000 000000"), videoMessage]));
    expect(fault).toBeUndefined();
    expect(messages.map(({ type }) => type)).toEqual([1, 9]);
  });
});

describe("Abort", () => {
  const begun = Buffer.concat([hex("06 0003E8 0000C8 09 01000000"), videoPayload.subarray(0, 128)]);

  test("drops what has come, and the next chunk begins a message whose time builds on the dropped one", () => {
    const next = Buffer.concat([
      hex("86 000028"),
      videoPayload.subarray(0, 128),
      hex("C6"),
      videoPayload.subarray(128),
    ]);
    const { messages } = read(Buffer.concat([begun, abort(6), next]));
    expect(messages.map(({ type, timestamp }) => [type, timestamp])).toEqual([
      [2, 0],
      [9, 1_040],
    ]);
    expect(messages[1]?.payload).toEqual(videoPayload);
  });

  test("lets a fmt 3 begin a message too", () => {
    const next = Buffer.concat([hex("C6"), videoPayload.subarray(0, 128), hex("C6"), videoPayload.subarray(128)]);
    expect(read(Buffer.concat([begun, abort(6), next])).messages[1]?.payload).toEqual(videoPayload);
  });

  test("has no effect on a chunk stream that is idle, unknown or impossible", () => {
    const bytes = Buffer.concat([videoMessage, abort(6), abort(99), abort(0xff_ff_ff_ff), videoMessage]);
    expect(read(bytes).messages.map(({ type }) => type)).toEqual([9, 2, 2, 2, 9]);
  });

  test("frees the place of the message it drops", () => {
    const round = [begun, abort(6)];
    const limits = { ...LIMITS_LENIENT, partialMessagesMax: 2, partialBytesMax: 140 };
    expect(read(Buffer.concat([...round, ...round, ...round]), limits).fault).toBeUndefined();
  });
});

describe("extended timestamps", () => {
  const [first, second] = [videoPayload.subarray(0, 128), videoPayload.subarray(128)];
  const absolute = hex("06 FFFFFF 0000C8 09 01000000 01000000");
  const expected = [{ type: 9, timestamp: 0x1_00_00_00, streamId: 1, payload: videoPayload }];

  test.each([
    { name: "repeat the field, as the specification wants", header: "C6 01000000" },
    { name: "leave it out, as librtmp does", header: "C6" },
    { name: "repeat it with the top bit set", header: "C6 81000000" },
  ])("continuations may $name", ({ header }) => {
    expect(read(Buffer.concat([absolute, first, hex(header), second])).messages).toEqual(expected);
  });

  test.each([
    { name: "repeat the delta", header: "C6 01000001" },
    { name: "say the absolute time", header: "C6 01000BB9" },
    { name: "leave it out", header: "C6" },
  ])("continuations of a message with an extended delta may $name", ({ header }) => {
    const start = hex("06 000BB8 000001 09 01000000 27 46 FFFFFF 0000C8 09 01000001");
    const { messages } = read(Buffer.concat([start, first, hex(header), second]));
    expect(messages[1]).toEqual({ type: 9, timestamp: 3_000 + 0x1_00_00_01, streamId: 1, payload: videoPayload });
  });

  test("a new message by fmt 3 repeats the delta", () => {
    expect(timestamps("06 000000 000001 09 01000000 27 86 FFFFFF 01000000 27 C6 01000000 27")).toEqual([
      0, 0x1_00_00_00, 0x2_00_00_00,
    ]);
  });

  test("a new message by fmt 3 after a fmt 0 repeats the timestamp, which is no delta then", () => {
    expect(timestamps("06 FFFFFF 000001 09 01000000 01000000 27 C6 01000000 27 86 000028 27")).toEqual([
      0x1_00_00_00, 0x1_00_00_00, 0x1_00_00_28,
    ]);
  });

  test("a new message by fmt 3 may have its own timestamp, up to a minute ahead", () => {
    const start = "06 FFFFFF 000001 09 01000000 01000000 27";
    expect(timestamps(`${start} C6 01000028 27 C6 01000050 27`)).toEqual([0x1_00_00_00, 0x1_00_00_28, 0x1_00_00_50]);
    expect(timestamps(`${start} C6 0100EA60 27`)).toEqual([0x1_00_00_00, 0x1_00_ea_60]);
    // A longer step is read as payload: one byte of it, and an incomplete header.
    expect(read(`${start} C6 0100EA61 27`).messages[1]).toEqual({
      type: 9,
      timestamp: 0x1_00_00_00,
      streamId: 1,
      payload: hex("01"),
    });
  });

  test("a new message by fmt 3 may leave it out, also where it is shorter than the field", () => {
    const start = "06 FFFFFF 000001 09 01000000 01000000 27";
    expect(timestamps(`${start} C6 28 C6 29 C6 2A 86 000001 2B 86 000001 2C`)).toEqual([
      0x1_00_00_00, 0x1_00_00_00, 0x1_00_00_00, 0x1_00_00_00, 0x1_00_00_01, 0x1_00_00_02,
    ]);
  });

  test("a peer known to leave it out does not count as one that sends its own timestamp", () => {
    // The third message's payload begins like a timestamp a little ahead.
    const bytes = "06 FFFFFF 000005 09 01000000 01000000 2701000000 C6 2801000000 C6 0100002829";
    expect(read(bytes).messages.map(({ payload }) => payload)).toEqual([
      hex("2701000000"),
      hex("2801000000"),
      hex("0100002829"),
    ]);
  });

  test("a header without it ends it", () => {
    expect(timestamps("06 FFFFFF 000001 09 01000000 01000000 27 86 000001 01 C6 02")).toEqual([
      0x1_00_00_00, 0x1_00_00_01, 0x1_00_00_02,
    ]);
  });
});

describe("time", () => {
  const start = (timestamp: number): Buffer =>
    encodeMessage(4, { type: 8, timestamp, streamId: 1, payload: hex("AF") }, 128);

  test.each([
    {
      name: "24 bits, where the field becomes extended",
      from: 0xff_ff_f0,
      expected: [0xff_ff_f0, 0x1_00_00_07, 0x1_00_00_1e],
    },
    { name: "31 bits", from: 0x7f_ff_ff_f0, expected: [0x7f_ff_ff_f0, 0x80_00_00_07, 0x80_00_00_1e] },
    { name: "32 bits, where it wraps", from: 0xff_ff_ff_f0, expected: [0xff_ff_ff_f0, 7, 30] },
  ])("goes on in small steps beyond $name", ({ from, expected }) => {
    expect(timestamps(start(from), "84 000017 AF", "84 000017 AF")).toEqual(expected);
  });

  test("a delta beyond 2³¹ is a step back", () => {
    expect(timestamps(start(1_000), "84 FFFFFF FFFFFFD8 AF")).toEqual([1_000, 960]);
  });

  test("a fmt 0 may go back too", () => {
    expect(timestamps(start(1_000), start(40), "84 000017 AF")).toEqual([1_000, 40, 63]);
  });
});
