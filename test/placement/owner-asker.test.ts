import { expect, test } from "vitest";
import type { OwnerAnswer } from "../../src/control/ports/owner-question.ts";
import { OwnerAsker } from "../../src/placement/owner-asker.ts";
import { VirtualClock } from "../support/stages/virtual-clock.ts";

const OWNER = {
  ...{ channelId: "ls-1", epoch: 7, incarnation: 2, home: 0 },
  address: "host:2",
};
const ALIVE: OwnerAnswer = { kind: "owner", epoch: 7, isOnAir: true, isDraining: false };
const nothing = () => undefined;

/** An owner that has a second to answer, asked now. `answer`: what comes by the link. */
function ask() {
  const clock = new VirtualClock();
  const link = Promise.withResolvers<OwnerAnswer>();
  const counts = { silent: 0 };
  const asker = new OwnerAsker({
    ...{ clock, silentMs: 1_000 },
    link: { ask: () => link.promise },
    bus: { ask: () => new Promise(nothing) },
    meter: {
      ...{ placed: nothing, tookOver: nothing, fenced: nothing, answered: nothing },
      ownerSilent: () => {
        counts.silent += 1;
      },
    },
  });
  return { clock, counts, answer: link.resolve, asked: asker.ask(OWNER) };
}

test("an owner that answers in its time keeps the channel, one that does not is replaced", async () => {
  const alive = ask();
  alive.clock.advance(999);
  alive.answer(ALIVE);
  expect(await alive.asked).toEqual({ verdict: "attach", epoch: 7 });
  const silent = ask();
  silent.clock.advance(1_001);
  expect(await silent.asked).toEqual({ verdict: "claim", epoch: 7 });
  expect([alive.counts.silent, silent.counts.silent]).toEqual([0, 1]);
});

test("the owner's time does not pass while the node that asks stands still", async () => {
  const { clock, counts, answer, asked } = ask();
  clock.advance(100);
  clock.pause(1_300);
  // Timers run before what came meanwhile is read.
  clock.advance(0);
  answer(ALIVE);
  expect(await asked).toEqual({ verdict: "attach", epoch: 7 });
  expect(counts.silent).toBe(0);
});
