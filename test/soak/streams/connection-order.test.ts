import { expect, test } from "vitest";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { ConnectionOrder } from "./connection-order.ts";

const message = (kind: MessageRecord["kind"], timestamp: number, what: "config" | "keyframe" | "frame" = "frame") => ({
  kind,
  timestamp,
  bytes: 10,
  hash: "",
  isConfig: what === "config",
  isKeyframe: what === "keyframe",
});
const HEAD = [message("data", 0), message("audio", 0, "config"), message("video", 0, "config")];

test.each([
  {
    name: "a proper start",
    messages: [...HEAD, message("video", 0, "keyframe"), message("audio", 0)],
    problem: undefined,
  },
  {
    name: "a frame that is no keyframe",
    messages: [...HEAD, message("video", 0)],
    problem: "the first video frame, at 0 ms, is no keyframe",
  },
  {
    name: "audio without its configuration",
    messages: [message("audio", 7)],
    problem: "audio at 7 ms without its configuration",
  },
  {
    name: "a step back",
    messages: [...HEAD, message("audio", 9), message("audio", 8)],
    problem: "audio at 8 ms after 9 ms",
  },
])("the order of a connection: $name", ({ messages, problem }) => {
  const order = new ConnectionOrder();
  expect(messages.map((each) => order.take(each)).find((found) => found !== undefined)).toBe(problem);
});
