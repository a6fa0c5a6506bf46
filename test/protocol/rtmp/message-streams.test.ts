import { expect, test } from "vitest";
import type { Command } from "../../../src/protocol/rtmp/command.ts";
import { MessageStreams } from "../../../src/protocol/rtmp/server/message-streams.ts";

const deletion = (streamId: number): Command => ({
  ...{ name: "deleteStream", transactionId: 0, object: null },
  args: [streamId],
});

/** Eight streams, as many as may be open. */
function eight(): MessageStreams {
  const streams = new MessageStreams();
  for (let count = 0; count < 8; count += 1) streams.create();
  return streams;
}

test("in place of a ninth stream the one that has been over for longest is forgotten", () => {
  const streams = eight();
  streams.leave(5);
  streams.leave(3);
  expect([streams.create(), streams.create()]).toEqual([5, 3]);
  expect(() => streams.create()).toThrow("more than 8 message streams");
});

test("the end of a publication on a stream that was never given makes no room, and hides none", () => {
  const streams = eight();
  streams.leave(99);
  streams.leave(3);
  expect(streams.create()).toBe(3);
});

test("a number that was deleted and given again is not over", () => {
  const streams = eight();
  streams.leave(3);
  streams.take(deletion(3));
  expect(streams.create()).toBe(3);
  expect(() => streams.create()).toThrow("more than 8 message streams");
});
