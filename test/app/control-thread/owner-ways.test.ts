import { expect, test } from "vitest";
import { busQuestion, hearNode, linkQuestion } from "../../../src/app/control-thread/cluster/owner-ways.ts";
import type { BusReply } from "../../../src/control/ports/bus.ts";
import type { OwnerAnswer } from "../../../src/control/ports/owner-question.ts";
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
  clock.advance(50);
  expect(asked).toEqual([1_000, 950]);
  await reply(1, NOBODY);
  expect(answers).toEqual([{ kind: "gone" }]);
  clock.advance(2_000);
  expect(asked).toHaveLength(2);
});

test("an owner that answers the first question late is heard", async () => {
  const { clock, asked, answers, reply } = ask();
  clock.advance(900);
  expect(asked).toEqual([1_000, 950, 850, 650, 250]);
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
  expect(second.asked).toEqual([1_000, 950, 850, 650, 250]);
  expect(second.answers).toEqual([]);
});

/** A question over a link whose outcomes the test gives; the last one is given again and again. */
function dial(...kinds: readonly ("broken" | "refused" | "replaced")[]) {
  const clock = new VirtualClock();
  const startMs = clock.now();
  const ending = new AbortController();
  /** When each dial was made, and how long its answer could take, in milliseconds. */
  const dials: [number, number][] = [];
  const question = async (_place: unknown, _question: unknown, deadlineMs: number) => {
    const kind = kinds[Math.min(dials.length, kinds.length - 1)] ?? "broken";
    dials.push([clock.now() - startMs, deadlineMs]);
    return { kind };
  };
  const answers: unknown[] = [];
  void linkQuestion({ question }, clock, 1_000)
    .ask(OWNER, ending.signal)
    .then((answer) => answers.push(answer));
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 10) {
      await new Promise(setImmediate);
      clock.advance(10);
    }
    await new Promise(setImmediate);
  };
  return { ending, dials, answers, pass };
}

test("a process that dies resets connections for a while: it is dialled until it refuses one", async () => {
  const { dials, answers, pass } = dial("broken", "broken", "broken", "refused");
  await pass(140);
  expect(answers).toEqual([{ kind: "gone" }]);
  expect(dials).toEqual([
    [0, 1_000],
    [20, 980],
    [60, 940],
    [140, 860],
  ]);
});

test("a newer process at the owner's address proves that the owner has ended", async () => {
  const { dials, answers, pass } = dial("replaced");
  await pass(0);
  expect([answers, dials.length]).toEqual([[{ kind: "gone" }], 1]);
});

test("one that breaks every link off, and one that is not asked any more, say nothing about the owner", async () => {
  const stranger = dial("broken");
  await stranger.pass(1_000);
  expect([stranger.answers, stranger.dials.length]).toEqual([[{ kind: "unusable" }], 6]);
  const over = dial("broken");
  await over.pass(10);
  over.ending.abort();
  await over.pass(1_000);
  expect(over.dials.length).toBe(1);
});

/** What a node is found to be, of which the link and the bus say this; undefined: nothing. With the milliseconds that it took. */
async function hear(onLink: OwnerAnswer["kind"] | undefined, onBus: OwnerAnswer["kind"] | undefined) {
  const clock = new VirtualClock();
  const answers = { owner: { kind: "owner", epoch: 3, isOnAir: true, isDraining: false } } as const;
  const signals: AbortSignal[] = [];
  const way = (kind: OwnerAnswer["kind"] | undefined) => ({
    ask: (_asked: unknown, signal: AbortSignal) => {
      signals.push(signal);
      return kind === undefined
        ? new Promise<never>(() => undefined)
        : Promise.resolve<OwnerAnswer>(kind === "owner" ? answers.owner : { kind });
    },
  });
  let found: unknown;
  void hearNode(OWNER, { link: way(onLink), bus: way(onBus) }, clock).then((sign) => {
    found = sign;
  });
  for (let ms = 0; ms <= 2_000; ms += 1_000) {
    await new Promise(setImmediate);
    // What is under way ends with that.
    if (found !== undefined) expect([...signals.map(({ aborted }) => aborted), clock.pending]).toEqual([true, true, 0]);
    if (found !== undefined) return [found, ms];
    clock.advance(1_000);
  }
  return [found];
}

test("a node lives that answers on one way, has ended where its host says so, and is silent else", async () => {
  expect(await hear("owner", undefined)).toEqual(["alive", 0]);
  expect(await hear(undefined, "not-owner")).toEqual(["alive", 0]);
  expect(await hear("gone", "not-owner")).toEqual(["alive", 0]);
  expect(await hear("gone", "gone")).toEqual(["ended", 0]);
  expect(await hear("gone", "unusable")).toEqual(["ended", 0]);
  expect(await hear("gone", undefined)).toEqual(["ended", 2_000]);
  // It may have lost its connection to the bus.
  expect(await hear(undefined, "gone")).toEqual(["silent", 2_000]);
  expect(await hear("unusable", "gone")).toEqual(["silent", 0]);
  expect(await hear(undefined, undefined)).toEqual(["silent", 2_000]);
});
