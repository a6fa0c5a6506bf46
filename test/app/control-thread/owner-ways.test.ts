import { expect, test } from "vitest";
import { busQuestion, linkQuestion } from "../../../src/app/control-thread/cluster/owner-ways.ts";
import type { BusReply } from "../../../src/control/ports/bus.ts";
import { VirtualClock } from "../../support/stages/virtual-clock.ts";

const OWNER = { channelId: "ls-1", epoch: 3, incarnation: 7, home: 0, address: "host:7400" };
const NOBODY: BusReply = { kind: "none", why: "no-responders" };
const ALIVE: BusReply = { kind: "reply", message: { epoch: 3, isOnAir: true, isDraining: false } };

/** A question on a bus whose replies the test gives. `asked`: for how long each request may wait, in milliseconds. */
function ask() {
  const clock = new VirtualClock();
  const ending = new AbortController();
  const asked: number[] = [];
  const replies: ((reply: BusReply) => void)[] = [];
  const request = (_subject: string, _message: unknown, timeoutMs: number) => {
    asked.push(timeoutMs);
    return new Promise<BusReply>((resolve) => replies.push(resolve));
  };
  const answers: unknown[] = [];
  void busQuestion({ request }, clock, 1_000)
    .ask(OWNER, ending.signal)
    .then((answer) => answers.push(answer));
  const reply = async (index: number, what: BusReply) => {
    replies[index]?.(what);
    await new Promise(setImmediate);
  };
  return { clock, ending, asked, answers, reply };
}

test("an owner that died with the question is asked again, and the second one says that nobody is there", async () => {
  const { clock, asked, answers, reply } = ask();
  clock.advance(200);
  expect(asked).toEqual([1_000, 800]);
  await reply(1, NOBODY);
  expect(answers).toEqual([{ kind: "gone" }]);
  clock.advance(2_000);
  expect(asked).toHaveLength(2);
});

test("an owner that answers the first question late is heard", async () => {
  const { clock, asked, answers, reply } = ask();
  clock.advance(900);
  expect(asked).toEqual([1_000, 800, 600, 400, 200]);
  await reply(0, ALIVE);
  expect(answers).toEqual([{ kind: "owner", epoch: 3, isOnAir: true, isDraining: false }]);
});

test("nobody is asked any more once the wait is over, or its time", async () => {
  const { clock, ending, asked } = ask();
  ending.abort();
  clock.advance(1_000);
  expect(asked).toEqual([1_000]);
  const second = ask();
  second.clock.advance(5_000);
  for (let index = 0; index < 5; index += 1) await second.reply(index, { kind: "none", why: "timed-out" });
  expect(second.asked).toEqual([1_000, 800, 600, 400, 200]);
  expect(second.answers).toEqual([]);
});

test("an owner that broke the connection off is dialled once more: a dead one refuses, another process breaks off again", async () => {
  const kinds = ["broken", "refused", "broken", "broken"] as const;
  let dials = 0;
  const question = async () => ({ kind: kinds[dials++] ?? ("silent" as const) });
  const asker = linkQuestion({ question }, 1_000);
  expect(await asker.ask(OWNER, new AbortController().signal)).toEqual({ kind: "gone" });
  expect(await asker.ask(OWNER, new AbortController().signal)).toEqual({ kind: "unusable" });
  expect(dials).toBe(4);
});
