import { expect, test } from "vitest";
import type { KnownOwner } from "../../src/control/ports/owner-question.ts";
import type { NodeState } from "../../src/control/ports/ownership-store.ts";
import { FormerOwners } from "../../src/placement/fencing/former-owners.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const MINUTE_MS = 60_000;

/** Node 1, and what it tells the others on their links. Node 9 is in no list. */
function stage() {
  const clock = new VirtualClock();
  const told: string[] = [];
  const waiting: ((isOver: boolean) => void)[] = [];
  const states = new Map<number, NodeState>();
  const formers = new FormerOwners({
    ...{ self: 1, clock },
    nodes: {
      stateOf: (incarnation) => states.get(incarnation) ?? "serving",
      knownAddressOf: (incarnation) => (incarnation === 9 ? undefined : `host:${incarnation}`),
    },
    board: {
      release: ({ channelId, epoch, incarnation, address }: KnownOwner) => {
        told.push(`${channelId} ${epoch} ${incarnation} ${address}`);
        return new Promise((resolve) => waiting.push(resolve));
      },
    },
  });
  /** What was told since, and whether each of those is over. */
  const answer = async (isOver: boolean) => {
    for (const resolve of waiting.splice(0)) resolve(isOver);
    for (let turn = 0; turn < 10; turn += 1) await Promise.resolve();
    return told.splice(0);
  };
  return { clock, states, formers, answer, told };
}

test("a former owner that cannot be reached is told again until it knows, and then no more", async () => {
  const { formers, answer } = stage();
  formers.tell("ls-1", { incarnation: 2, epoch: 7 });
  expect(await answer(false)).toEqual(["ls-1 7 2 host:2"]);
  formers.tellAgain();
  expect(await answer(false)).toEqual(["ls-1 7 2 host:2"]);
  formers.tellAgain();
  expect(await answer(true)).toEqual(["ls-1 7 2 host:2"]);
  formers.tellAgain();
  expect(await answer(true)).toEqual([]);
});

test("all are told at once, and again one after another: a process that does not answer is dialled once each time", async () => {
  const { formers, answer, told } = stage();
  for (const channelId of ["ls-1", "ls-2", "ls-3"]) formers.tell(channelId, { incarnation: 2, epoch: 7 });
  formers.tell("ls-4", { incarnation: 3, epoch: 4 });
  expect(told).toEqual(["ls-1 7 2 host:2", "ls-2 7 2 host:2", "ls-3 7 2 host:2", "ls-4 4 3 host:3"]);
  await answer(false);
  formers.tellAgain();
  // The first round is still under way.
  formers.tellAgain();
  expect(await answer(false)).toEqual(["ls-1 7 2 host:2", "ls-4 4 3 host:3"]);
  formers.tellAgain();
  expect(await answer(true)).toEqual(["ls-1 7 2 host:2", "ls-4 4 3 host:3", "ls-2 7 2 host:2"]);
  expect(await answer(true)).toEqual(["ls-3 7 2 host:2"]);
  expect(await answer(true)).toEqual([]);
  formers.tellAgain();
  expect(told).toEqual([]);
});

test("one that left, one that is listed no more, this process itself, and one of ten minutes ago are not told again", async () => {
  const { clock, states, formers, answer, told } = stage();
  formers.tell("ls-1", { incarnation: 1, epoch: 7 });
  formers.tell("ls-1", { incarnation: 9, epoch: 7 });
  expect(told).toEqual([]);
  formers.tell("ls-1", { incarnation: 2, epoch: 7 });
  formers.tell("ls-2", { incarnation: 3, epoch: 7 });
  await answer(false);
  states.set(2, "left");
  clock.advance(10 * MINUTE_MS);
  formers.tellAgain();
  expect(await answer(false)).toEqual(["ls-2 7 3 host:3"]);
  clock.advance(1);
  states.delete(2);
  formers.tellAgain();
  expect(told).toEqual([]);
});
