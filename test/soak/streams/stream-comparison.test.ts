import { expect, test } from "vitest";
import type { MessageRecord } from "../../../src/testkit/message-record.ts";
import { StreamComparison } from "./stream-comparison.ts";

const message = (number: number, change: Partial<MessageRecord> = {}): MessageRecord => ({
  kind: "video",
  timestamp: number * 40,
  bytes: 100,
  hash: `hash-${number}`,
  isConfig: false,
  isKeyframe: false,
  ...change,
});

function fed(receivers: readonly (readonly MessageRecord[])[]): StreamComparison {
  const comparison = new StreamComparison(receivers.length);
  for (const [receiver, messages] of receivers.entries()) for (const each of messages) comparison.add(receiver, each);
  return comparison;
}

const three = [message(0), message(1), message(2)];

test("receivers that get the same, each at its own pace, are alike, and nothing is kept", () => {
  const comparison = fed([three, three, three]);
  expect(comparison.waitingCount).toBe(0);
  expect(comparison.settledCount).toBe(3);
  comparison.finish();
  expect(comparison.problems).toEqual([]);
});

test("messages are kept as far as the receivers are apart", () => {
  const comparison = fed([three, three, [message(0)]]);
  expect([comparison.settledCount, comparison.waitingCount]).toEqual([1, 2]);
});

test.each([
  { name: "another payload", change: { hash: "other" } },
  { name: "another time", change: { timestamp: 41 } },
  { name: "another kind", change: { kind: "audio" } },
] as const)("$name is a difference, reported once", ({ change }) => {
  const comparison = fed([three, [message(0), message(1, change), message(2, change)]]);
  expect(comparison.problems).toHaveLength(1);
  expect(comparison.problems[0]).toMatch(/^message 1 of receiver 1 is /);
  comparison.finish();
  expect(comparison.problems).toHaveLength(1);
});

test("a message that one receiver missed shows at the next one", () => {
  expect(fed([three, [message(0), message(2)]]).problems).toHaveLength(1);
});

test("a receiver that got less is found at the end", () => {
  const comparison = fed([three, [message(0), message(1)], three]);
  expect(comparison.problems).toEqual([]);
  comparison.finish();
  expect(comparison.problems).toEqual(["receiver 1 was sent 2 messages, others 3"]);
});

test("a receiver that stands still is given up before memory fills", () => {
  const comparison = new StreamComparison(2);
  for (let number = 0; number <= 20_000; number += 1) comparison.add(0, message(number));
  expect(comparison.problems).toEqual(["receiver 1 is 20000 messages behind another"]);
  expect(comparison.waitingCount).toBe(0);
});

test("the hash of the whole distinguishes streams", () => {
  expect(fed([three, three]).finish()).toBe(fed([three, three]).finish());
  expect(fed([three, three]).finish()).not.toBe(fed([three.slice(1), three.slice(1)]).finish());
});
