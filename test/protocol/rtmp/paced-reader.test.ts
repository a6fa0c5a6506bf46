import fc from "fast-check";
import { expect, test } from "vitest";
import { ChunkReader } from "../../../src/protocol/rtmp/chunk/chunk-reader.ts";
import { encodeMessage } from "../../../src/protocol/rtmp/chunk/chunk-writer.ts";
import {
  FLOOD_MESSAGES_MAX,
  PACE_OF_ENCODER,
  PACE_OF_TARGET,
  PacedReader,
  READ_TURN_MS,
  TURN_MESSAGES_MAX,
} from "../../../src/protocol/rtmp/chunk/paced-reader.ts";
import { PayloadSlab } from "../../../src/protocol/rtmp/chunk/payload-slab.ts";
import type { Message } from "../../../src/protocol/rtmp/message.ts";
import { cutAt, LIMITS_LENIENT } from "./chunk/chunk-support.ts";

const NOTHING = Buffer.alloc(0);
/** On a chunk stream that had a message of four bytes: the same again, with these bytes for its payload. */
const SHORT_FIRST = encodeMessage(
  4,
  { type: 8, timestamp: 0, streamId: 1, payload: Buffer.from("af012100", "hex") },
  128,
);
const SHORT_NEXT = Buffer.from("c4af012101", "hex");
/** The same without bytes. */
const EMPTY_FIRST = encodeMessage(5, { type: 8, timestamp: 0, streamId: 1, payload: NOTHING }, 128);
const EMPTY_NEXT = Buffer.from("c5", "hex");

/** The same of a thousand bytes. */
const LARGE_FIRST = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(1_000) }, 128);
const LARGE_NEXT = encodeMessage(6, { type: 9, timestamp: 0, streamId: 1, payload: Buffer.alloc(1_000) }, 128);

const times = (bytes: Buffer, count: number) => Buffer.alloc(bytes.length * count, bytes);
const copied = (message: Message): Message => ({ ...message, payload: Buffer.from(message.payload) });

test.each([
  { what: "short", first: SHORT_FIRST, next: SHORT_NEXT },
  { what: "empty", first: EMPTY_FIRST, next: EMPTY_NEXT },
])(
  "of $what messages that come at once a turn's share is read at once, the next ones a turn later",
  ({ first, next }) => {
    const reader = new PacedReader(PACE_OF_ENCODER);
    const came: Message[] = [];
    const give = (bytes: Buffer, nowMs: number) => {
      reader.receive(bytes, nowMs, false, (message) => came.push(message));
      return came.length;
    };
    const wanted = 2 * TURN_MESSAGES_MAX + 10;
    const bytes = Buffer.concat([first, times(next, wanted - 2)]);
    expect(give(bytes, 0)).toBe(TURN_MESSAGES_MAX);
    // The reader must not depend on the caller's bytes afterwards.
    bytes.fill(0xee);
    expect(reader.isBehind).toBe(true);
    expect(give(NOTHING, READ_TURN_MS - 1)).toBe(TURN_MESSAGES_MAX);
    expect(give(next, READ_TURN_MS - 1)).toBe(TURN_MESSAGES_MAX);
    expect(give(NOTHING, READ_TURN_MS)).toBe(2 * TURN_MESSAGES_MAX);
    expect(give(NOTHING, 2 * READ_TURN_MS)).toBe(wanted);
    expect(reader.isBehind).toBe(false);
    expect(reader.bytesReceived).toBe(first.length + (wanted - 1) * next.length);
  },
);

test("more than two hundred thousand messages within ten seconds are a flood, spread over longer they are not", () => {
  const send = (turns: number, turnMs: number): void => {
    const reader = new PacedReader(PACE_OF_ENCODER);
    const turn = times(SHORT_NEXT, TURN_MESSAGES_MAX);
    reader.receive(SHORT_FIRST, -1_000_000, false, () => undefined);
    for (let count = 0; count < turns; count += 1) reader.receive(turn, count * turnMs, false, () => undefined);
  };
  const turns = FLOOD_MESSAGES_MAX / TURN_MESSAGES_MAX;
  expect(() => send(turns, READ_TURN_MS)).not.toThrow();
  expect(() => send(turns + 1, READ_TURN_MS)).toThrow(/^too-many-messages: more than 200000 in 10 seconds/);
  expect(() => send(10 * turns, 2 * READ_TURN_MS)).not.toThrow();
});

test("a chunk that was checked for a repeated timestamp, and has none, is not lost where reading is halted", () => {
  const extended = { type: 8, timestamp: 0x01_00_00_00, streamId: 1, payload: NOTHING };
  const head = Buffer.concat([EMPTY_FIRST, encodeMessage(4, extended, 128)]);
  // After the fmt 3 header come four whole messages of one byte each.
  for (const parts of [["c4c5c5c5c5"], ["c4c5", "c5c5c5"], ["c4c5c5c5", "c5"]]) {
    const reader = new ChunkReader(LIMITS_LENIENT);
    let count = 0;
    for (const part of [head, ...parts.map((text) => Buffer.from(text, "hex"))]) {
      for (let at = 0; at < part.length; ) {
        at += reader.receive(part.subarray(at), () => {
          count += 1;
          reader.halt();
        });
      }
    }
    expect(count, parts.join(" ")).toBe(7);
  }
});

const messages = fc.array(
  fc.record({
    csid: fc.constantFrom(4, 5, 6, 70),
    timestamp: fc.constantFrom(0, 40, 0x00_ff_ff_ff, 0x01_00_00_00, 0xff_ff_ff_f0),
    length: fc.constantFrom(0, 1, 4, 128, 129, 700),
  }),
  { minLength: 1, maxLength: 12 },
);

test("the reader reads the same wherever it is halted, with payloads lent or not", () => {
  fc.assert(
    fc.property(messages, fc.array(fc.nat()), fc.nat(4), fc.boolean(), (sent, cuts, every, isLending) => {
      const bytes = Buffer.concat(
        sent.map(({ csid, timestamp, length }, index) =>
          encodeMessage(csid, { type: 8, timestamp, streamId: 1, payload: Buffer.alloc(length, index) }, 128),
        ),
      );
      // A fmt 3 header right after each: some messages once more, some with an extended time in it.
      const whole = Buffer.concat([bytes, Buffer.from("c4", "hex"), times(Buffer.from([0]), 700)]);
      const read = (isHalting: boolean): Message[] => {
        const reader = new ChunkReader(LIMITS_LENIENT);
        if (isLending) reader.lendPayloads(new PayloadSlab(512));
        const came: Message[] = [];
        for (const part of cutAt(whole, cuts)) {
          for (let at = 0; at < part.length; ) {
            at += reader.receive(part.subarray(at), (message) => {
              came.push(copied(message));
              if (isHalting && came.length % (every + 1) === 0) reader.halt();
            });
          }
        }
        return came;
      };
      const outcome = (isHalting: boolean) => {
        try {
          return read(isHalting);
        } catch (error) {
          return String(error);
        }
      };
      expect(outcome(true)).toEqual(outcome(false));
    }),
  );
});

test.each([
  { what: "empty messages", first: EMPTY_FIRST, next: EMPTY_NEXT, messages: PACE_OF_TARGET.turnMessagesMax },
  { what: "large messages", first: LARGE_FIRST, next: LARGE_NEXT, messages: 65 },
])("a turn of a target's $what takes as little time as any other, and ten seconds' worth is a flood", (row) => {
  const reader = new PacedReader(PACE_OF_TARGET);
  let came = 0;
  const give = (bytes: Buffer, nowMs: number) => reader.receive(bytes, nowMs, false, () => (came += 1));
  give(row.first, -1_000_000);
  const flood = times(row.next, 4_000);
  const turn = (nowMs: number) => {
    came = 0;
    give(reader.isBehind ? NOTHING : flood, nowMs);
    return came;
  };
  expect(turn(0)).toBeLessThanOrEqual(row.messages);
  expect(turn(READ_TURN_MS - 1)).toBe(0);
  expect(turn(READ_TURN_MS)).toBeGreaterThan(row.messages - 3);
  expect(() => {
    for (let count = 2; count < 200; count += 1) turn(count * READ_TURN_MS);
  }).toThrow(/^too-many-messages/);
});

test("a target's replies, acknowledgements of each kilobyte of 10 Mbit/s included, are no flood", () => {
  const reader = new PacedReader(PACE_OF_TARGET);
  let came = 0;
  for (let nowMs = 0; nowMs < 60_000; nowMs += 1) {
    reader.receive(nowMs === 0 ? SHORT_FIRST : SHORT_NEXT, nowMs, false, () => (came += 1));
  }
  expect(came).toBe(60_000);
  expect(reader.isBehind).toBe(false);
});
