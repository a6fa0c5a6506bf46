import { expect, test } from "vitest";
import { PendingRequests } from "../../../src/app/threads/pending-requests.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

function open() {
  const clock = new VirtualClock();
  const pending = new PendingRequests<{ readonly text: string }>(clock);
  const posted: number[] = [];
  const ask = (deadlineMs: number) => pending.ask(deadlineMs, (requestId) => posted.push(requestId));
  return { clock, pending, posted, ask };
}

test("each request gets the reply with its number, in whatever order replies come", async () => {
  const { pending, posted, ask } = open();
  const [first, second] = [ask(1_000), ask(1_000)];
  expect(posted).toEqual([1, 2]);
  expect(pending.reply(2, { text: "two" })).toBe(true);
  expect(pending.reply(1, { text: "one" })).toBe(true);
  expect(await Promise.all([first, second])).toEqual([{ text: "one" }, { text: "two" }]);
});

test("a request without a reply ends at its own deadline, and its late reply is dropped", async () => {
  const { clock, pending, ask } = open();
  const [short, long] = [ask(1_000), ask(2_000)];
  clock.advance(1_000);
  expect(await short).toBe("timed-out");
  expect(pending.reply(1, { text: "late" })).toBe(false);
  expect(pending.reply(2, { text: "in time" })).toBe(true);
  expect(await long).toEqual({ text: "in time" });
  expect(pending.reply(2, { text: "again" })).toBe(false);
});

test("when the other thread is gone all requests end, and later ones go on counting", async () => {
  const { pending, posted, ask } = open();
  const [first, second] = [ask(1_000), ask(1_000)];
  pending.abandon();
  expect(await Promise.all([first, second])).toEqual(["gone", "gone"]);
  const third = ask(1_000);
  expect(posted).toEqual([1, 2, 3]);
  expect(pending.reply(1, { text: "of the dead thread" })).toBe(false);
  pending.reply(3, { text: "three" });
  expect(await third).toEqual({ text: "three" });
});
