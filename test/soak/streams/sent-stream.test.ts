import { expect, test } from "vitest";
import type { FlvTag } from "../../../src/protocol/flv/flv-tag.ts";
import { syntheticClip } from "../../../src/testkit/encoder/clip.ts";
import { recordMessage } from "../../../src/testkit/message-record.ts";
import { SentStream } from "./sent-stream.ts";

const SILENCE: FlvTag = { type: 8, timestamp: 0, payload: Buffer.from("af01210049900219002380", "hex") };

/** A sender and a receiver with a clock that is set by hand. */
function line() {
  const time = { nowMs: 0 };
  const stream = new SentStream(() => time.nowMs);
  let serial = 0;
  /** One life of an encoder: sends so many messages, and returns them. */
  const life = () => {
    serial += 1_000;
    const tags = stream
      .follow(syntheticClip({ firstSerial: serial }))
      .tags()
      [Symbol.iterator]();
    let next = tags.next();
    const send = (count: number): FlvTag[] =>
      Array.from({ length: count }, () => {
        const tag = next.value;
        next = tags.next();
        return tag;
      });
    return { send, end: () => void tags.return?.() };
  };
  const receive = (tags: readonly FlvTag[]): void => {
    for (const tag of tags) {
      const record = recordMessage({ ...tag, streamId: 1 });
      if (record !== undefined) stream.receive(record);
    }
  };
  return { time, stream, life, receive };
}

/** Metadata and two configurations come first. */
const HEADERS = 3;

test("a stream that came whole has no fault", () => {
  const { stream, life, receive } = line();
  const encoder = life();
  receive(encoder.send(HEADERS + 50));
  encoder.end();
  stream.finish();
  expect(stream.problems).toEqual([]);
  expect(stream.counts).toMatchObject({ sent: 50, received: 50, filler: 0 });
});

test("a message in the middle that did not come is missing", () => {
  const { stream, life, receive } = line();
  const tags = life().send(HEADERS + 50);
  receive(tags.filter((_, index) => index !== HEADERS + 20));
  expect(stream.problems).toHaveLength(1);
  expect(stream.problems[0]).toMatch(/^1 messages are missing/);
});

test("a tail that did not come is missing after a clean end", () => {
  const { stream, life, receive } = line();
  const encoder = life();
  receive(encoder.send(HEADERS + 50).slice(0, -2));
  encoder.end();
  stream.finish();
  expect(stream.problems).toHaveLength(1);
  expect(stream.problems[0]).toMatch(/^2 messages never came/);
});

test.each([
  { name: "may lose what was sent within a second before", agoMs: 1_000, problems: 0 },
  { name: "may not lose what was sent earlier", agoMs: 1_001, problems: 1 },
])("a connection that breaks $name", ({ agoMs, problems }) => {
  const { time, stream, life, receive } = line();
  const encoder = life();
  const tags = encoder.send(HEADERS + 50);
  time.nowMs += agoMs;
  stream.lost();
  encoder.end();
  receive(tags.slice(0, -2));
  receive(life().send(HEADERS + 10));
  expect(stream.problems).toHaveLength(problems);
  expect(stream.counts.lostWithConnection).toBe(problems === 0 ? 2 : 0);
});

test("filler is silence and the frames that a GOP began with, and an older frame is not", () => {
  const { stream, life, receive } = line();
  const tags = life().send(HEADERS + 100);
  receive(tags);
  const frames = tags.filter(({ type, payload }) => type === 9 && payload[1] === 1);
  receive([SILENCE, ...frames.slice(0, 2), ...frames.slice(25, 27)]);
  expect(stream.problems).toEqual([]);
  expect(stream.counts.filler).toBe(5);
  receive(frames.slice(2, 3));
  expect(stream.problems).toHaveLength(1);
});

test("after a silence a stream goes on with a keyframe, also after the second, and dropped frames are counted", () => {
  const { stream, life, receive } = line();
  const encoder = life();
  receive(encoder.send(HEADERS + 10));
  stream.thawed();
  const later = encoder.send(300);
  const keyframes = later.flatMap(({ type, payload }, index) => (type === 9 && payload[0] === 0x17 ? [index] : []));
  const [, second = 0, third = 0] = keyframes;
  receive(later.slice(second, third));
  expect(stream.problems).toEqual([]);
  expect(stream.counts.skippedBehindFiller).toBe(second);
  receive(later.slice(third + 1));
  expect(stream.problems).toHaveLength(1);
});

test("a second encoder's first messages must all come", () => {
  const { stream, life, receive } = line();
  const encoder = life();
  receive(encoder.send(HEADERS + 10));
  stream.lost();
  encoder.end();
  receive(
    life()
      .send(HEADERS + 10)
      .slice(HEADERS + 1),
  );
  expect(stream.problems).toHaveLength(1);
});

test("a message that no encoder sent is reported", () => {
  const { stream, receive } = line();
  receive([{ type: 9, timestamp: 40, payload: Buffer.from("27010000000000", "hex") }]);
  expect(stream.problems).toEqual(["video at 40 ms is nothing the encoder sent"]);
});
